import { RECENT_REQUESTS_MAX } from "../../workers/aggregate/recent-requests.ts";
import { DIRECT_TIMEOUT_MS, LOG_DELAY_S } from "../../workers/ingest/limits.ts";
import { batchCallsText, type Calls, callsText, shardsPerPartition, touchedText } from "./calls.ts";
import type { Flow } from "./flow.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";
import { type Reaches, reachText } from "./reach.ts";
import { rowsOf } from "./rows.ts";

/** `SHARD_CALLS_CONCURRENT_MAX` in workers/apply-to-shards.ts: connections that may wait for their headers. */
export const CALLS_AT_A_TIME = 6;
/** `SHARD_TIMEOUT_MS` in workers/aggregate/raw-consumer.ts. */
export const GROUP_TIMEOUT_MS = 30_000;
export interface Counting {
  readonly items: readonly Item[];
  readonly rowsPerDay: number;
  readonly emissionsPerShard: number;
  /** Wall time of an invocation of the consumer that calls the shards. */
  readonly batchS: number;
}

/** What calls the shards: from where, with what, to how many. */
export interface Callers {
  readonly load: Load;
  readonly flow: Flow;
  readonly reaches: Reaches;
  readonly shards: number;
  readonly calls: Calls;
}

/** Calls to the shards, the rows they write, and whether those who call have the time for it. */
export function countingOf(o: CapacityOptions, callers: Callers): Counting {
  const log = logItems(o, callers);
  const rows = rowsOf(o, callers);
  return { ...rows, items: [...directItems(o, callers), ...log.items, ...rows.items], batchS: log.batchS };
}

function directItems(o: CapacityOptions, { load, reaches, shards, calls }: Callers): Item[] {
  const figure = figuresOf("counting");
  const mend = "fewer direct calls (--async-share): sources that need no receipt at once send Prefer: respond-async";
  const syncRequests = load.requestsPerDay * (1 - o["async-share"]);
  const waits = Math.ceil(calls.perRequest / CALLS_AT_A_TIME);
  const perRequest = figure("calls_per_request", calls.perRequest, "calls", callsText(reaches.request, shards));
  const items = [
    figure("direct_calls", calls.direct, "calls/day", `${n(syncRequests)} requests × ${n(calls.perRequest)}`),
  ];
  if (syncRequests === 0) return items;
  return [
    figure("merchants_per_request", reaches.request.merchants, "merchants", reachText(load.law, o.batch)),
    within(perRequest, LIMITS.subrequests.value, LIMITS.subrequests, mend),
    within(
      figure(
        "direct_wait",
        waits * o["call-ms"],
        "ms",
        `ceil(${n(calls.perRequest)} / ${n(CALLS_AT_A_TIME)}) × ${n(o["call-ms"])}`,
      ),
      DIRECT_TIMEOUT_MS,
      { of: "the direct call, then it is 202", source: "workers/ingest/limits.ts" },
      mend,
    ),
    ...items,
  ];
}

function logItems(
  o: CapacityOptions,
  { load, flow, reaches, shards, calls }: Callers,
): { items: Item[]; batchS: number } {
  const figure = figuresOf("counting");
  const objects = o.repartition ? 0 : flow.groups * o["archive-hours"];
  const archiveMs = o.repartition ? 0 : flow.groups * o["archive-ms"];
  const fullest = flow.fullGroups > 0 ? reaches.fullGroup : reaches.restGroup;
  const own = shardsPerPartition(flow, shards);
  const asksText = batchCallsText(flow, reaches.countedInFullGroup, reaches.countedInRestGroup, ({ merchants }) =>
    touchedText(merchants, own),
  );
  const rowsText = batchCallsText(flow, reaches.newInFullGroup, reaches.newInRestGroup, (reach) =>
    callsText(reach, own),
  );
  const waitMs = (calls.perBatch / CALLS_AT_A_TIME) * o["call-ms"];
  const cpuS = (flow.eventsPerBatch * o["consumer-us"] + calls.perBatch * o["call-us"]) / 1e6;
  const batchS = (archiveMs + waitMs) / 1_000 + cpuS;
  const batchesPerSecond = (flow.batchesPerDay / DAY_S / flow.queues) * o.peak;
  const mend = "fewer shards for a queue (--partitions, best with --repartition)";
  const items = [
    figure("merchants_per_group", fullest.merchants, "merchants", reachText(load.law, fullest.events, flow.partitions)),
    figure("asks_per_batch", calls.asksPerBatch, "calls", asksText),
    figure("counts_per_batch", calls.rowsPerBatch, "calls", rowsText),
    figure("calls_per_batch", calls.perBatch, "calls", `${n(calls.asksPerBatch)} + ${n(calls.rowsPerBatch)}`),
    figure("log_calls", calls.fromLog, "calls/day", `${n(flow.batchesPerDay)} batches × ${n(calls.perBatch)}`),
    within(
      figure(
        "subrequests_per_batch",
        calls.perBatch + objects,
        "subrequests",
        `${n(calls.perBatch)} calls + ${n(objects)} objects`,
      ),
      LIMITS.subrequests.value,
      LIMITS.subrequests,
      `${mend}, or a smaller batch (--consumer-batch)`,
    ),
    within(
      figure(
        "group_wait",
        Math.ceil(calls.perFullestGroup / CALLS_AT_A_TIME) * o["call-ms"],
        "ms",
        `ceil(${n(calls.perFullestGroup)} calls / ${n(CALLS_AT_A_TIME)}) × ${n(o["call-ms"])}`,
      ),
      GROUP_TIMEOUT_MS,
      { of: "the calls of a group", source: "workers/aggregate/raw-consumer.ts" },
      mend,
    ),
    within(
      figure(
        "batch_cpu",
        cpuS,
        "s",
        `(${n(flow.eventsPerBatch)} events × ${n(o["consumer-us"])} + ${n(calls.perBatch)} calls × ${n(o["call-us"])}) / 1e6`,
      ),
      LIMITS.invocationCpu.value,
      LIMITS.invocationCpu,
      "a smaller batch (--consumer-batch)",
    ),
    figure(
      "batch_wall",
      batchS,
      "s",
      `(${n(archiveMs)} ms + ${n(calls.perBatch)} / ${n(CALLS_AT_A_TIME)} × ${n(o["call-ms"])}) / 1e3 + ${n(cpuS)}`,
    ),
    within(
      figure(
        "consumers_peak",
        batchesPerSecond * batchS,
        "invocations a queue",
        `${n(flow.batchesPerDay)} / ${n(DAY_S)} s / ${n(flow.queues)} queues × ${n(o.peak)} × ${n(batchS)} s`,
      ),
      LIMITS.queueConsumers.value,
      LIMITS.queueConsumers,
      `${mend}, or more queues (--raw-queues)`,
    ),
    within(
      figure(
        "calls_per_shard_peak",
        calls.perSecondPeak,
        "calls/s",
        `((${n(calls.direct)} + ${n(calls.fromLog)}) / ${n(DAY_S)} + ${n(calls.readsPerSecond)} reads/s) × ${n(o.peak)} / ${n(shards)}`,
      ),
      LIMITS.objectRequests.value,
      LIMITS.objectRequests,
      "more shards (--shards), fewer direct calls (--async-share), or fewer, larger requests (--batch)",
    ),
  ];
  return { items: calls.direct === 0 ? items : [...items, rememberedItem(o, calls, shards, batchS)], batchS };
}

/** Until the log asks about a request, its shards must know it: they remember so many. */
function rememberedItem(o: CapacityOptions, { direct }: Calls, shards: number, batchS: number): Item {
  const seconds = LOG_DELAY_S + o["consumer-wait-s"] + batchS;
  return within(
    figuresOf("counting")(
      "requests_remembered_peak",
      (direct / DAY_S / shards) * o.peak * seconds,
      "requests a shard",
      `${n(direct)} / ${n(DAY_S)} / ${n(shards)} × ${n(o.peak)} × (${n(LOG_DELAY_S)} s held back + ${n(o["consumer-wait-s"])} s + ${n(batchS)} s)`,
    ),
    RECENT_REQUESTS_MAX,
    {
      of: "what a shard remembers, then the log sends the events as well",
      source: "workers/aggregate/recent-requests.ts",
    },
    "more shards (--shards), or fewer direct calls (--async-share)",
  );
}
