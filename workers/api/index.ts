import { Hono } from "hono";
import { admit } from "../access/admit.ts";
import type { Guarded } from "../access/guarded.ts";
import { API_ACCESS, methodsAt } from "../access/table.ts";
import { REPLAYER } from "../aggregate/replayer-name.ts";
import { readErasure } from "../directory/erasures.ts";
import { errorText } from "../error-text.ts";
import { metricsText } from "../health/metrics-text.ts";
import { OPEN_METRICS_TYPE } from "../health/open-metrics.ts";
import { lookAtHealth } from "../health/read-health.ts";
import { headOnly } from "../http/head-only.ts";
import { methodNotAllowed, notFound, type Problem, problemResponse } from "../http/problem.ts";
import { requestId, toProblem } from "../http/request-id.ts";
import { log } from "../log.ts";
import { adminLog } from "./admin-log.ts";
import { adminMerchants, showMerchant } from "./admin-merchants.ts";
import { adminSources } from "./admin-sources.ts";
import { adminAlerts, merchantAlerts } from "./alerts.ts";
import { fresh } from "./answer.ts";
import { AUDIT_PARAMETERS, answerAudit } from "./audit.ts";
import { limitBody } from "./body-limit.ts";
import { askMetrics, askReport } from "./cache/asked.ts";
import { answerKnown, cachedRead } from "./cache/cached-read.ts";
import { Abandoned } from "./cache/shared-work.ts";
import { compressCsv } from "./compress-csv.ts";
import { discardDeadLetters, listDeadLetters, redriveDeadLetters } from "./dead-letters.ts";
import type { Env } from "./env.ts";
import { beginErasure, erasureRequestSchema, present as presentErasure, showErasures } from "./erasures.ts";
import { answerEvents } from "./events/route.ts";
import { HistoryUnavailable } from "./history.ts";
import { ShardUnavailable } from "./hot-windows.ts";
import { readJson } from "./json-body.ts";
import { adminKeys, merchantKeys } from "./keys.ts";
import { answerLive, LIVE_PARAMETERS, parseLive } from "./live/live.ts";
import { loadHome } from "./merchant.ts";
import { metered } from "./metered.ts";
import { missingPage } from "./missing-page.ts";
import { readQuery } from "./parameters.ts";
import { askQuery, queryBodyLimit } from "./query-route.ts";
import { beginReplay, endReplay, showReplay, showReplays } from "./replays.ts";
import { WindowsGone } from "./retention.ts";
import { session } from "./session.ts";
import { refuseStrayParameters } from "./stray-parameters.ts";
import { createEpoch, listEpochs } from "./topology.ts";

/** Nobody gets it, but it is counted: as nginx has it. */
const CALLER_HAS_LEFT = 499;

export const app = new Hono<Guarded<Env>>();
app.use(metered);
app.use(missingPage);
app.use(requestId);
app.use(headOnly);
app.use(limitBody);
app.use(compressCsv);
// Who may call what stands in the table, and nowhere else: a new route wants a line there.
app.use(admit(API_ACCESS));
app.use(refuseStrayParameters);
app.notFound((c) => {
  const methods = methodsAt(API_ACCESS, c.req.path);
  return problemResponse(methods.length > 0 ? methodNotAllowed(methods.join(", ")) : notFound(c.req.path));
});
app.onError((error, c) => {
  if (error instanceof WindowsGone) return problemResponse(windowsGone(error));
  if (error instanceof Abandoned) return new Response(null, { status: CALLER_HAS_LEFT });
  if (!(error instanceof HistoryUnavailable || error instanceof ShardUnavailable)) return toProblem(error, c);
  log("warn", "read unavailable", { request: c.var.requestId, path: c.req.path, error, cause: errorText(error.cause) });
  return problemResponse(error instanceof HistoryUnavailable ? historyUnavailable : shardUnavailable);
});

app.get("/healthz", (c) => c.json({ status: "ok", service: "tally-api" }));

app.route("/v1/session", session);
app.route("/v1/merchants/:merchant/keys", merchantKeys);
app.route("/v1/merchants/:merchant/alerts", merchantAlerts);
app.route("/v1/admin/alerts", adminAlerts);
app.route("/v1/admin/sources", adminSources);
app.route("/v1/admin/merchants", adminMerchants);
app.route("/v1/admin/keys", adminKeys);
app.route("/v1/admin/log", adminLog);

app.get("/v1/merchants/:merchant", (c) => showMerchant(c, c.var.merchant));

app.get("/v1/merchants/:merchant/report", (c) => cachedRead(c, askReport));
app.get("/v1/merchants/:merchant/metrics", (c) => cachedRead(c, askMetrics));

app.post("/v1/merchants/:merchant/query", queryBodyLimit, (c) => cachedRead(c, askQuery));

app.get("/v1/merchants/:merchant/events", answerEvents);

app.get("/v1/merchants/:merchant/live", async (c) => {
  const nowMs = Date.now();
  const home = await loadHome(c.env.DIRECTORY, c.var.merchant, nowMs);
  const query = readQuery(c.req.queries(), LIVE_PARAMETERS);
  if (!query.ok) return problemResponse(query.error);
  const parameters = parseLive(query.value, home.timezone);
  if (!parameters.ok) return problemResponse(parameters.error);
  return await answerLive(
    c.env,
    { merchantId: c.var.merchant, home, ...parameters.value },
    { lastEventId: c.req.header("Last-Event-ID"), isAdmitted: () => c.var.isStillAdmitted(Date.now()) },
  );
});

app.get("/v1/admin/dead-letters", async (c) => {
  const letters = await listDeadLetters(c.env.DIRECTORY, c.req.queries(), Date.now());
  return letters.ok ? fresh(letters.value) : problemResponse(letters.error);
});

app.post("/v1/admin/dead-letters/redrive", async (c) => {
  const body = await c.req.json().catch(() => undefined);
  const redriven = await redriveDeadLetters(c.env, body, Date.now());
  return redriven.ok ? fresh(redriven.value) : problemResponse(redriven.error);
});

app.post("/v1/admin/dead-letters/discard", async (c) => {
  const body = await c.req.json().catch(() => undefined);
  const discarded = await discardDeadLetters(c.env, body, Date.now());
  return discarded.ok ? fresh(discarded.value) : problemResponse(discarded.error);
});

app.get("/v1/admin/topology", async (c) => {
  const epochs = await listEpochs(c.env.DIRECTORY, c.req.queries());
  return epochs.ok ? fresh(epochs.value) : problemResponse(epochs.error);
});

app.post("/v1/admin/topology", async (c) => {
  const body = await c.req.json().catch(() => undefined);
  const created = await createEpoch(c.env.DIRECTORY, body, Date.now());
  return created.ok ? c.json(created.value, 201) : problemResponse(created.error);
});

app.get("/v1/admin/audit", async (c) => {
  const query = readQuery(c.req.queries(), AUDIT_PARAMETERS);
  if (!query.ok) return problemResponse(query.error);
  const answer = await answerAudit(c.env.DIRECTORY, query.value, Date.now());
  return answer.ok ? fresh(answer.value) : problemResponse(answer.error);
});

app.get("/v1/admin/health", async (c) => fresh((await lookAtHealth(c.env, Date.now())).health));

app.get("/v1/admin/metrics", async (c) => {
  const text = metricsText(await lookAtHealth(c.env, Date.now()));
  return new Response(text, { headers: { "Content-Type": OPEN_METRICS_TYPE, "Cache-Control": "private, no-store" } });
});

app.get("/v1/admin/replays", async (c) => {
  const replays = await showReplays(c.env.DIRECTORY, c.req.queries());
  return replays.ok ? fresh(replays.value) : problemResponse(replays.error);
});

app.post("/v1/admin/replays", async (c) => {
  const body = await c.req.json().catch(() => undefined);
  const begun = await beginReplay(c.env.DIRECTORY, body, Date.now());
  if (!begun.ok) return problemResponse(begun.error);
  await c.env.REPLAYER.get(c.env.REPLAYER.idFromName(REPLAYER)).begin();
  return c.json(begun.value, 202);
});

app.get("/v1/admin/replays/:id", async (c) => {
  const replay = await showReplay(c.env.DIRECTORY, c.req.param("id"));
  return replay === undefined ? problemResponse(notFound(c.req.path)) : fresh(replay);
});

app.delete("/v1/admin/replays/:id", async (c) => {
  const ended = await endReplay(c.env.DIRECTORY, c.req.param("id"), Date.now());
  return ended ? c.body(null, 204) : problemResponse(notFound(c.req.path));
});

app.get("/v1/admin/erasures", async (c) => {
  const erasures = await showErasures(c.env.DIRECTORY, c.req.queries());
  return erasures.ok ? fresh(erasures.value) : problemResponse(erasures.error);
});

app.post("/v1/admin/erasures", async (c) => {
  const body = await readJson(c, erasureRequestSchema);
  if (!body.ok) return problemResponse(body.error);
  const begun = await beginErasure(c.env.DIRECTORY, body.value, Date.now());
  if (!begun.ok) return problemResponse(begun.error);
  await c.env.REPLAYER.get(c.env.REPLAYER.idFromName(REPLAYER)).begin();
  return c.json(begun.value, 202);
});

app.get("/v1/admin/erasures/:id", async (c) => {
  const erasure = await readErasure(c.env.DIRECTORY, c.req.param("id"));
  return erasure === undefined ? problemResponse(notFound(c.req.path)) : fresh(presentErasure(erasure));
});

const historyUnavailable: Problem = {
  status: 503,
  code: "history_unavailable",
  title: "History cannot be read right now",
  detail: "The last 24 hours can: ask for a span that begins then.",
  retryAfterS: 5,
};

function windowsGone({ keptFromMs }: WindowsGone): Problem {
  const kept = new Date(keptFromMs).toISOString();
  return {
    status: 422,
    code: "windows_gone",
    title: "Ten-minute windows of that time are not kept any more",
    detail: `Before ${kept} there are whole hours of UTC only: ask for a granularity of 1h or coarser, from and to full hours, in a zone of whole hours.`,
    extensions: { kept_from: kept },
  };
}

const shardUnavailable: Problem = {
  status: 503,
  code: "shard_unavailable",
  title: "Recent numbers cannot be read right now",
  retryAfterS: 2,
};

export default {
  fetch: (request, env, context) => answerKnown(request, env, context) ?? app.fetch(request, env, context),
} satisfies ExportedHandler<Env>;
