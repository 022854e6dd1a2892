import { SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import type { Flow } from "./flow.ts";
import { n } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import type { Reach, Reaches } from "./reach.ts";

/**
 * Calls to the shards by ingest and from the log. Those that bring events write a journal row. About events that ingest has brought the log
 * only asks, each shard once a group: all of them are taken to have been counted in time.
 */
export interface Calls {
  readonly perRequest: number;
  readonly direct: number;
  /** Of the fullest group of a batch: its questions, or the events it brings, whatever is more. One follows the other. */
  readonly perFullestGroup: number;
  /** Questions about what was counted directly. */
  readonly asksPerBatch: number;
  /** With events. */
  readonly rowsPerBatch: number;
  readonly perBatch: number;
  readonly fromLog: number;
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
export function callsOf(o: CapacityOptions, load: Load, flow: Flow, reaches: Reaches, shards: number): Calls {
  const asyncShare = o["async-share"];
  const perRequest = callsFor(reaches.request, shards);
  const direct = load.requestsPerDay * (1 - asyncShare) * perRequest;
  const own = shardsPerPartition(flow, shards);
  const asksPerFullGroup = touched(reaches.countedInFullGroup.merchants, own);
  const asksPerRestGroup = touched(reaches.countedInRestGroup.merchants, own);
  const rowsPerFullGroup = callsFor(reaches.newInFullGroup, own);
  const rowsPerRestGroup = callsFor(reaches.newInRestGroup, own);
  const asksPerBatch = flow.fullGroups * asksPerFullGroup + asksPerRestGroup;
  const rowsPerBatch = flow.fullGroups * rowsPerFullGroup + rowsPerRestGroup;
  const perBatch = asksPerBatch + rowsPerBatch;
  const fromLog = flow.batchesPerDay * perBatch;
  const readsPerSecond = o["reads-per-second"] * (1 - o["cache-hit"]);
  const perSecondPeak = (((direct + fromLog) / DAY_S + readsPerSecond) * o.peak) / shards;
  const callBusy = (perSecondPeak * o["call-us"]) / 1e6;
  const eventBusy = (load.eventsPerSecondPeak * o["apply-us"]) / 1e6;
  return {
    perRequest,
    direct,
    perFullestGroup: Math.max(asksPerFullGroup, asksPerRestGroup, rowsPerFullGroup, rowsPerRestGroup),
    asksPerBatch,
    rowsPerBatch,
    perBatch,
    fromLog,
    journalRows: direct + flow.batchesPerDay * rowsPerBatch,
    readsPerSecond,
    perSecondPeak,
    busyPeak: callBusy + eventBusy / shards,
    busyPeakLargest: callBusy + eventBusy * (1 / shards + load.largestShare),
  };
}

export function shardsPerPartition({ partitions }: Flow, shards: number): number {
  return Math.max(1, shards / partitions);
}

/** A call for each shard that owns one of the merchants, and for each started 5,000 of the events it has on average. */
function callsFor({ events, merchants }: Reach, shards: number): number {
  const owners = touched(merchants, shards);
  return owners === 0 ? 0 : owners * Math.ceil(events / owners / SHARD_BATCH_EVENTS_MAX);
}

export function callsText({ events, merchants }: Reach, shards: number): string {
  const text = touchedText(merchants, shards);
  const owners = n(touched(merchants, shards));
  return events > SHARD_BATCH_EVENTS_MAX
    ? `${text} × ceil(${n(events)} / ${owners} / ${n(SHARD_BATCH_EVENTS_MAX)})`
    : text;
}

/** The calls of a batch's groups, one after another; `textOf` says those of one group. */
export function batchCallsText(
  { fullGroups }: Flow,
  full: Reach,
  rest: Reach,
  textOf: (reach: Reach) => string,
): string {
  const parts = [
    ...(full.events === 0 ? [] : [`${n(fullGroups)} × ${textOf(full)}`]),
    ...(rest.events === 0 ? [] : [textOf(rest)]),
  ];
  return parts.length === 0 ? "0" : parts.join(" + ");
}

/** How many of `of` are expected to be hit by at least one of `balls` that fall on any of them alike. */
export function touched(balls: number, of: number): number {
  return balls === 0 ? 0 : -of * Math.expm1(balls * Math.log1p(-1 / of));
}

export function touchedText(balls: number, of: number): string {
  return `${n(of)} × (1 − (1 − 1 / ${n(of)})^${n(balls)})`;
}
