import { SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import type { Flow } from "./flow.ts";
import { n } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { touched, touchedText } from "./touched.ts";

/** Calls to the shards by ingest and from the log, and which of them bring something new and write a journal row. */
export interface Calls {
  readonly perRequest: number;
  readonly direct: number;
  /** Of the fullest group of a batch. */
  readonly perFullestGroup: number;
  readonly perBatch: number;
  readonly perBatchText: string;
  readonly fromLog: number;
  /** Of a batch's calls, those with an event that was not counted directly before. */
  readonly rowsPerBatch: number;
  readonly rowsPerBatchText: string;
  readonly journalRows: number;
  readonly readsPerSecond: number;
  /** Of one shard, at the peak. */
  readonly perSecondPeak: number;
  /** Share of the time that one shard's thread is busy, at the peak. */
  readonly busyPeak: number;
  /** The same of the shard that has the largest merchant. */
  readonly busyPeakLargest: number;
}

/** `flow` is the one whose consumer calls the shards. */
export function callsOf(o: CapacityOptions, load: Load, flow: Flow, shards: number): Calls {
  const asyncShare = o["async-share"];
  const perRequest = callsFor(o.batch, shards);
  const direct = load.requestsPerDay * (1 - asyncShare) * perRequest;
  const shardsPerQueue = Math.max(1, shards / flow.partitions);
  const perBatch = perBatchOf(flow, shardsPerQueue, 1);
  const rowsPerBatch = perBatchOf(flow, shardsPerQueue, asyncShare);
  const fromLog = flow.batchesPerDay * perBatch.calls;
  const readsPerSecond = o["reads-per-second"] * (1 - o["cache-hit"]);
  const perSecondPeak = (((direct + fromLog) / DAY_S + readsPerSecond) * o.peak) / shards;
  const callBusy = (perSecondPeak * o["call-us"]) / 1e6;
  // What is counted directly comes from the log again.
  const eventBusy = (load.eventsPerSecondPeak * (2 - asyncShare) * o["apply-us"]) / 1e6;
  return {
    perRequest,
    direct,
    perFullestGroup: callsFor(flow.fullGroups > 0 ? flow.eventsPerFullGroup : flow.eventsOfRest, shardsPerQueue),
    perBatch: perBatch.calls,
    perBatchText: perBatch.text,
    fromLog,
    rowsPerBatch: rowsPerBatch.calls,
    rowsPerBatchText: rowsPerBatch.text,
    journalRows: direct + flow.batchesPerDay * rowsPerBatch.calls,
    readsPerSecond,
    perSecondPeak,
    busyPeak: callBusy + eventBusy / shards,
    busyPeakLargest: callBusy + eventBusy * (1 / shards + load.largestShare),
  };
}

/** Calls of a whole batch, group by group, for a share of its events. */
function perBatchOf({ fullGroups, eventsPerFullGroup, eventsOfRest }: Flow, shards: number, share: number) {
  const full = eventsPerFullGroup * share;
  const rest = eventsOfRest * share;
  const fullText = fullGroups === 0 ? [] : [`${n(fullGroups)} × ${callsText(full, shards)}`];
  const restText = rest === 0 ? [] : [callsText(rest, shards)];
  return {
    calls: fullGroups * callsFor(full, shards) + callsFor(rest, shards),
    text: share === 0 ? "0" : [...fullText, ...restText].join(" + "),
  };
}

/** A call for each shard touched, and for each 5,000 events. */
function callsFor(events: number, shards: number): number {
  return Math.max(touched(events, shards), events / SHARD_BATCH_EVENTS_MAX);
}

export function callsText(events: number, shards: number): string {
  const text = touchedText(events, shards);
  return events > SHARD_BATCH_EVENTS_MAX ? `max(${text}, ${n(events)} / ${n(SHARD_BATCH_EVENTS_MAX)})` : text;
}
