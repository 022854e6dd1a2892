import { SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import type { Flow } from "./flow.ts";
import { n } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import type { Reach, Reaches } from "./reach.ts";

/** Calls to the shards by ingest and from the log, and which of them bring something new and write a journal row. */
export interface Calls {
  readonly perRequest: number;
  readonly direct: number;
  /** Of the fullest group of a batch. */
  readonly perFullestGroup: number;
  readonly perBatch: number;
  readonly fromLog: number;
  /** Of a batch's calls, those with an event that was not counted directly before. */
  readonly rowsPerBatch: number;
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
  const perFullGroup = callsFor(reaches.fullGroup, own);
  const perRestGroup = callsFor(reaches.restGroup, own);
  const perBatch = flow.fullGroups * perFullGroup + perRestGroup;
  const rowsPerBatch = flow.fullGroups * callsFor(reaches.newInFullGroup, own) + callsFor(reaches.newInRestGroup, own);
  const fromLog = flow.batchesPerDay * perBatch;
  const readsPerSecond = o["reads-per-second"] * (1 - o["cache-hit"]);
  const perSecondPeak = (((direct + fromLog) / DAY_S + readsPerSecond) * o.peak) / shards;
  const callBusy = (perSecondPeak * o["call-us"]) / 1e6;
  // What is counted directly comes from the log again.
  const eventBusy = (load.eventsPerSecondPeak * (2 - asyncShare) * o["apply-us"]) / 1e6;
  return {
    perRequest,
    direct,
    perFullestGroup: Math.max(perFullGroup, perRestGroup),
    perBatch,
    fromLog,
    rowsPerBatch,
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

/** A call for each shard that owns one of the merchants, and for each 5,000 events. */
function callsFor({ events, merchants }: Reach, shards: number): number {
  return Math.max(touched(merchants, shards), events / SHARD_BATCH_EVENTS_MAX);
}

export function callsText({ events, merchants }: Reach, shards: number): string {
  const text = touchedText(merchants, shards);
  return events > SHARD_BATCH_EVENTS_MAX ? `max(${text}, ${n(events)} / ${n(SHARD_BATCH_EVENTS_MAX)})` : text;
}

/** The calls of a batch's groups, one after another. */
export function batchCallsText({ fullGroups }: Flow, full: Reach, rest: Reach, shards: number): string {
  const parts = [
    ...(full.events === 0 ? [] : [`${n(fullGroups)} × ${callsText(full, shards)}`]),
    ...(rest.events === 0 ? [] : [callsText(rest, shards)]),
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
