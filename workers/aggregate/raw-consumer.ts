import { STATUS } from "../../shared/messages/shard-batch.ts";
import { ShardRoutes, shardsOf } from "../../shared/route-batch.ts";
import type { Topology } from "../../shared/topology.ts";
import { isFinal, windowStart } from "../../shared/window.ts";
import { applyToShards, countedRequests, UNANSWERED } from "../apply-to-shards.ts";
import { type Deadline, startDeadline } from "../deadline.ts";
import { loadTopology } from "../directory/topology.ts";
import { log } from "../log.ts";
import { isTraced } from "../traced.ts";
import { archive } from "./archive.ts";
import { buryMessage } from "./dead-letters.ts";
import { type Env, settingsOf } from "./env.ts";
import { noteLateWindows } from "./late-windows.ts";
import { type LogMessage, readLogMessage } from "./log-message.ts";
import { messageGroups } from "./message-groups.ts";
import { acknowledge, meterLogEvents, retryLater } from "./metered-queue.ts";
import { REPLAYER } from "./replayer-name.ts";
import { retryDelayS } from "./retry.ts";

/** Of messages that are dealt with at a time: a whole batch of the queue, as a rule. In memory it takes some three times as much. */
const GROUP_BYTES_MAX = 13_000_000;
/** A shard that takes longer is given the batch again later; what it counted meanwhile is a duplicate then. */
const SHARD_TIMEOUT_MS = 30_000;

interface Delivery extends LogMessage {
  readonly message: Message;
}

/**
 * Archives a batch of raw messages, has the shards count what they have not, and only then acknowledges. Delivered again, it writes
 * the same objects or ones that repeat their lines, and counts nothing twice.
 */
export async function consumeRaw(batch: MessageBatch, env: Env): Promise<void> {
  for (const messages of messageGroups(batch.messages, GROUP_BYTES_MAX)) await consumeGroup(messages, batch.queue, env);
}

async function consumeGroup(messages: readonly Message[], queue: string, env: Env): Promise<void> {
  const deliveries: Delivery[] = [];
  for (const message of messages) {
    const read = readLogMessage(message.body);
    if (read.ok) deliveries.push({ message, ...read.value });
    else await buryMessage(env, queue, message, read.error.reason);
  }
  if (deliveries.length === 0) return;
  try {
    const objects = await archive(
      env.ARCHIVE,
      deliveries.map(({ raw }) => raw),
    );
    await count(deliveries, queue, env);
    logTraced(deliveries, objects, env);
  } catch (error) {
    log("error", "raw batch failed", { messages: deliveries.length, requests: requestsOf(deliveries), error });
    for (const { message } of deliveries) retryLater(message, queue, retryDelayS(message.attempts));
  }
}

/** Ids of the requests that the messages are of. */
function requestsOf(deliveries: readonly Delivery[]): string[] {
  return [...new Set(deliveries.map(({ raw: { batch } }) => batch.slice(0, batch.lastIndexOf("-"))))];
}

function tracedOf(deliveries: readonly Delivery[], env: Env): string[] {
  const { TRACE_SHARE } = settingsOf(env);
  return requestsOf(deliveries).filter((request) => isTraced(request, TRACE_SHARE));
}

/** What the log did with requests that are followed, and where in the archive their events stand, among others'. */
function logTraced(deliveries: readonly Delivery[], objects: readonly string[], env: Env): void {
  const requests = tracedOf(deliveries, env);
  if (requests.length === 0) return;
  const events = deliveries.reduce((sum, { batch }) => sum + batch.size, 0);
  log("info", "log batch counted", { requests, messages: deliveries.length, events, objects });
}

async function count(deliveries: readonly Delivery[], queue: string, env: Env): Promise<void> {
  const nowMs = Date.now();
  const topology = await loadTopology(env.DIRECTORY, nowMs);
  const counted = await countedDirectly(deliveries, topology, env);
  const routes = new ShardRoutes(topology);
  const sent = deliveries.map(({ raw: { token }, batch }) =>
    routes.add(batch, (shard) => counted.get(shard)?.has(token) !== true),
  );
  const events = deliveries.reduce((sum, { batch }) => sum + batch.size, 0);
  const brought = deliveries.filter((_, at) => sent[at] !== 0);
  const logged = { requests: requestsOf(brought), traced: tracedOf(brought, env) };
  const statuses = await withDeadline((deadline) =>
    applyToShards({ shards: env.SHARD, caller: "log", ...logged, deadline, token: "" }, routes.routes, events),
  );
  meterLogEvents(
    statuses,
    sent.reduce((sum, events) => sum + events, 0),
  );
  await noteLate(deliveries, statuses, env, nowMs);
  let first = 0;
  deliveries.forEach(({ message, batch }, at) => {
    const answered = statuses.subarray(first, first + batch.size).reduce(countAnswer, 0);
    first += batch.size;
    if (answered === sent[at]) acknowledge(message, queue);
    else retryLater(message, queue, retryDelayS(message.attempts));
  });
}

const countAnswer = (answers: number, status: number) => (status === UNANSWERED ? answers : answers + 1);

/** By shard, the requests it has counted all its events of already, because ingest has called it: nearly all of those that asked for it. */
async function countedDirectly(
  deliveries: readonly Delivery[],
  topology: Topology,
  env: Env,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const asked = new Map<string, Set<string>>();
  for (const { raw, batch } of deliveries) {
    if (raw.token === "") continue;
    for (const shard of shardsOf(topology, batch)) {
      const tokens = asked.get(shard) ?? new Set();
      asked.set(shard, tokens.add(raw.token));
    }
  }
  const questions = [...asked].map(([shard, tokens]) => ({ shard, tokens: [...tokens] }));
  const calls = { shards: env.SHARD, caller: "log" as const, requests: requestsOf(deliveries), traced: [] };
  return await withDeadline((deadline) => countedRequests({ ...calls, deadline }, questions));
}

async function withDeadline<T>(call: (deadline: Deadline) => Promise<T>): Promise<T> {
  const deadline = startDeadline(SHARD_TIMEOUT_MS);
  try {
    return await call(deadline);
  } finally {
    deadline.cancel();
  }
}

/**
 * Has windows rebuilt that are final by the time their events are archived: they are too late for the shard, or it has counted them, called by
 * ingest, so long ago that the window may have been rebuilt without them since.
 */
async function noteLate(deliveries: readonly Delivery[], statuses: Uint8Array, env: Env, nowMs: number): Promise<void> {
  const late: { merchantId: string; startMs: number }[] = [];
  let first = 0;
  for (const { batch } of deliveries) {
    for (let i = 0; i < batch.size; i++) {
      const startMs = windowStart(batch.occurredAt(i));
      if (statuses[first + i] === STATUS.late || isFinal(startMs, nowMs)) {
        late.push({ merchantId: batch.merchantId(i), startMs });
      }
    }
    first += batch.size;
  }
  if (late.length === 0) return;
  await noteLateWindows(env.DIRECTORY, late, nowMs);
  await env.REPLAYER.get(env.REPLAYER.idFromName(REPLAYER)).wake();
}
