import { type Context, Hono } from "hono";
import { getPath } from "hono/utils/url";
import { routesOf } from "../../shared/route-batch.ts";
import type { Topology } from "../../shared/topology.ts";
import { admit } from "../access/admit.ts";
import { inBackground } from "../access/background.ts";
import { INGEST_ACCESS } from "../access/table.ts";
import { announceLateWindows } from "../aggregate/late-windows.ts";
import { applyToShards } from "../apply-to-shards.ts";
import { toBase64url } from "../bytes.ts";
import { startDeadline } from "../deadline.ts";
import { loadTopology } from "../directory/topology.ts";
import { methodNotAllowed, notFound, type Problem, problemResponse } from "../http/problem.ts";
import { readQuery, strayParameter } from "../http/query-string.ts";
import { requestId, toProblem } from "../http/request-id.ts";
import { drain } from "../http/sent-body.ts";
import { log } from "../log.ts";
import { sendAll } from "../queue.ts";
import { isTraced } from "../traced.ts";
import { Accepted } from "./accept.ts";
import { readBody } from "./body.ts";
import { type Env, settingsOf } from "./env.ts";
import { isolateUnderWay } from "./isolate-under-way.ts";
import { lateWindowsOf } from "./late-windows-of.ts";
import { BODY_BYTES_MAX, IDS_PER_REQUEST_MAX, LATE_WINDOWS_ANNOUNCED_MAX, LOG_DELAY_S } from "./limits.ts";
import { packEvents } from "./log-events.ts";
import { type Collecting, metered, meterReceipt, meterRefused } from "./metered.ts";
import { overloaded, overloadedResponse } from "./overloaded.ts";
import { contentModeOf, readCloudEvents } from "./parse-cloud-events.ts";
import { readEvents } from "./parse-events.ts";
import { type Receipt, receiptOf } from "./receipt.ts";
import type { UnderWay } from "./under-way.ts";

const app = new Hono<Collecting>();
const answer = app.fetch;
// Before the router, and all that every other answer goes through: when most of what comes is refused, a refusal has to cost, and to leave behind, next to
// nothing (docs/decisions/0104-a-refusal-leaves-less-behind.md).
app.fetch = async (request, env, context) => {
  const nowMs = Date.now();
  const underWay = isolateUnderWay();
  if (!underWay.isFull(nowMs) || !isCollecting(request.method, getPath(request)))
    return await answer(request, env, context);
  noteRefusal(underWay, request.headers, nowMs);
  await drain(request, BODY_BYTES_MAX);
  return overloadedResponse(request.url);
};
app.use(requestId);
app.use(async (c, next) => {
  await next();
  await drain(c.req.raw, BODY_BYTES_MAX);
});
app.use(async (c, next) => {
  if (!isCollecting(c.req.method, c.req.path)) return await next();
  const underWay = isolateUnderWay();
  const work = underWay.begin(c.req.raw.headers, Date.now());
  c.set("work", work);
  const done = next().finally(() => underWay.end(work));
  // Also when the sender has left: the runtime would just stop, and what is under way never end.
  inBackground(c, "collecting", done);
  return await done;
});
app.use(admit(INGEST_ACCESS));
app.onError(toProblem);
app.notFound((c) => problemResponse(notFound(c.req.path)));

app.get("/healthz", (c) => c.json({ status: "ok", service: "tally-ingest" }));

app.post("/v1/events", metered, async (c) => {
  const stray = strayParameter(c);
  if (stray !== undefined) return problemResponse(stray);
  const body = await readBody(c.req.raw);
  if (!body.ok) {
    if (body.error === overloaded) meterRefused("overloaded");
    return problemResponse(body.error);
  }
  const nowMs = Date.now();
  const underWay = isolateUnderWay();
  const room = underWay.read(c.var.work, body.value.byteLength, nowMs);
  if (room === "nothing") {
    noteRefusal(underWay, c.req.raw.headers, nowMs);
    return overloadedResponse(c.req.url);
  }
  return await collect(c, body.value, room === "head start");
});

/** Takes what is in a body: into the log, and, with a head start, to the shards. */
async function collect(c: Context<Collecting>, body: Uint8Array, hasHeadStart: boolean): Promise<Response> {
  const { traceShare, directTimeoutMs, ...settings } = settingsOf(c.env);
  const nowMs = Date.now();
  const source = c.var.caller.principal;
  if (source.kind !== "source") throw new Error("only sources are admitted to sending");
  const request = c.var.requestId;
  const rules = { ...settings, nowMs, merchants: source.merchants };
  const provenance = { batch: request, source: source.id, receivedAtMs: nowMs };
  const newAccepted = () => new Accepted(rules, provenance, body.byteLength, source.mapping);
  const { headers } = c.req.raw;
  const mode = contentModeOf(headers);
  const read =
    mode === undefined
      ? readEvents(body, headers.get("Content-Type"), newAccepted)
      : readCloudEvents(body, headers, mode, newAccepted());
  if (!read.ok) return problemResponse(read.error);
  const accepted = read.value;
  const { batch } = accepted;
  if (accepted.errors.length > 0 && source.mapping?.rejected === "skip") logSkipped(request, source.id, accepted);
  if (batch.size === 0) return answerNothingAccepted(accepted, source.mapping?.rejected === "skip");

  const isAsync = prefersAsync(c.req.header("Prefer"));
  // Before the log has the events: from then on there is only so much time until the log counts them too.
  const topology = isAsync || !hasHeadStart ? undefined : await topologyIfKnown(c.env, nowMs);
  const token = topology === undefined ? "" : tokenOf(request);
  // The log's delay begins with the first message, so the direct call's time does too.
  const deadline = startDeadline(directTimeoutMs);
  isolateUnderWay().wait(c.var.work);
  try {
    await sendAll(
      c.env.RAW,
      packEvents(accepted, { request, receivedAtMs: nowMs, token }),
      topology === undefined ? undefined : { delaySeconds: LOG_DELAY_S },
    );
  } catch (error) {
    deadline.cancel();
    meterRefused("log_unavailable");
    log("error", "the log refused events", { request, events: batch.size, error });
    return problemResponse(logUnavailable);
  }
  // From here on the request has succeeded, whatever happens: the log has the events.
  const routes = topology === undefined ? [] : routesOf(topology, batch);
  const traced = isTraced(request, traceShare) ? [request] : [];
  const calls = { shards: c.env.SHARD, caller: "ingest" as const, requests: [request], traced, deadline, token };
  const statuses = await applyToShards(calls, routes, batch.size);
  deadline.cancel();
  const receipt = receiptOf(accepted, statuses);
  meterReceipt(receipt);
  if (traced.length > 0) logTaken(request, source.id, receipt);
  const late = lateWindowsOf(batch, statuses, LATE_WINDOWS_ANNOUNCED_MAX);
  if (late.length > 0) inBackground(c, "announcing late windows", announceLateWindows(c.env.DIRECTORY, late, nowMs));
  accepted.lines.release();
  if (isAsync) c.header("Preference-Applied", "respond-async");
  return c.json(receipt, receipt.queued === undefined ? 200 : 202);
}

app.post("/v1/ids", async (c) => {
  const query = readQuery(c.req.queries(), ["count"]);
  if (!query.ok) return problemResponse(query.error);
  const count = Number(query.value.count ?? "1");
  if (!Number.isInteger(count) || count < 1 || count > IDS_PER_REQUEST_MAX) {
    return problemResponse({
      status: 400,
      code: "invalid_parameter",
      title: "A parameter is wrong",
      detail: `count is an integer from 1 to ${IDS_PER_REQUEST_MAX}.`,
      extensions: { parameter: "count" },
    });
  }
  const random = randomBytes(16 * count);
  const ids = Array.from({ length: count }, (_, i) => toBase64url(random.subarray(16 * i, 16 * (i + 1))));
  return c.json({ ids });
});

app.all("/v1/events", () => problemResponse(methodNotAllowed("POST")));
app.all("/v1/ids", () => problemResponse(methodNotAllowed("POST")));

const isCollecting = (method: string, path: string) => method === "POST" && path === "/v1/events";

function noteRefusal(underWay: UnderWay, headers: Headers, nowMs: number): void {
  meterRefused("overloaded");
  const refused = underWay.refuse(headers, nowMs);
  if (refused !== undefined) log("warn", "overloaded", { refused });
}

/** `getRandomValues` fills at most this much at a time. */
const RANDOM_BYTES_MAX = 65_536;

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_BYTES_MAX) {
    crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES_MAX));
  }
  return bytes;
}

/** What shards know a request by: its id, a UUID, without the dashes. */
const tokenOf = (requestId: string) => requestId.replaceAll("-", "");

/** Without a topology there is no head start; the events are counted from the log then. */
async function topologyIfKnown(env: Env, nowMs: number): Promise<Topology | undefined> {
  try {
    return await loadTopology(env.DIRECTORY, nowMs);
  } catch (error) {
    log("warn", "no topology, no head start", { error });
    return undefined;
  }
}

/** Whoever is to skip what is rejected is told of success, or a sink would send it for ever. */
function answerNothingAccepted(accepted: Accepted, isSkipping: boolean): Response {
  const receipt = receiptOf(accepted, new Uint8Array());
  meterReceipt(receipt);
  if (accepted.errors.length === 0 || isSkipping) return Response.json(receipt);
  const forbidden = accepted.errors.every(({ code }) => code === "merchant_not_allowed");
  return problemResponse(forbidden ? forbiddenMerchants(receipt) : allRejected(receipt));
}

/** Where a request that is followed begins: what the log's consumer and the shards say of it later has its id, too. */
function logTaken(request: string, source: string, receipt: Receipt): void {
  const { accepted, duplicates, late, queued = 0, rejected } = receipt;
  log("info", "events taken", { request, source, accepted, duplicates, late, queued, rejected });
}

/** Nobody reads the receipts of a sink that goes on whatever they say. */
function logSkipped(request: string, source: string, { errors }: Accepted): void {
  const [first] = errors;
  log("warn", "changes skipped", { request, source, changes: errors.length, code: first?.code, path: first?.path });
}

const allRejected = (receipt: Receipt): Problem => ({
  status: 422,
  code: "all_rejected",
  title: "No event was accepted",
  detail: "Each event's reason is in errors.",
  extensions: { ...receipt },
});

const forbiddenMerchants = (receipt: Receipt): Problem => ({
  status: 403,
  code: "merchant_not_allowed",
  title: "The key may not send for these merchants",
  extensions: { ...receipt },
});

const logUnavailable: Problem = {
  status: 503,
  code: "log_unavailable",
  title: "Events cannot be taken right now",
  detail: "Nothing is lost by sending all of them again: events are counted once.",
  retryAfterS: 5,
};

/** RFC 7240: `Prefer: respond-async`, alone or among others. */
function prefersAsync(prefer: string | undefined): boolean {
  return (
    prefer?.split(",").some((preference) => preference.split(";")[0]?.trim().toLowerCase() === "respond-async") ?? false
  );
}

export default app;
