import { GRACE_MS, isClosed, LATENESS_HORIZON_MS, WINDOW_MS } from "../../shared/window.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { RETENTION_MARGIN_MS, type ShardState } from "./engine.ts";
import type { Slice } from "./slice.ts";

/** An alarm sends this many windows, and to the end of the slice that reaches them, then rings again at once. */
export const EMISSION_ROWS_MAX = 20_000;
/** A sent emission that nobody confirmed in this time is taken for lost, and sent again. */
export const EMISSION_TIMEOUT_MS = 30 * 60_000;
/** Emissions on their way at a time; more wait, so that an outage of history cannot fill the queue with repeats. */
export const EMISSIONS_PENDING_MAX = 64;

/** Windows to be sent: of each slice everything changed after `after`, up to `revision`. */
export interface Emission {
  /** Increasing, and of no other emission of this shard, before a restart either: confirmations name it. */
  readonly id: number;
  readonly slices: readonly Portion[];
  /** Made one by one as they are asked for, once: reports of a whole slice at a time would not fit the object's memory. */
  readonly windows: Iterable<MerchantWindow>;
}

/** The changes of one slice that an emission holds. */
interface Portion {
  readonly slice: Slice;
  readonly after: number;
  readonly revision: number;
}

interface Pending extends Omit<Emission, "windows"> {
  readonly confirmed: Set<number>;
  /** How many parts there are, once the queue has all of them. */
  parts: number;
  readonly sentAtMs: number;
}

/** What is on its way and not yet confirmed. In memory only: what a restart forgets is sent again, with the same revisions. */
export interface Emissions {
  /** In the order of their ids. */
  readonly pending: Map<number, Pending>;
  lastId: number;
  /** When what is corrected meanwhile goes: a delay after something was sent. In memory only. */
  correctionsAtMs: number;
}

/** Ids begin after `lastId`, a random integer below 2^52, so that a late confirmation from before a restart meets none of them. */
export function noEmissions(lastId: number): Emissions {
  return { pending: new Map(), lastId, correctionsAtMs: 0 };
}

/** When a slice's changes are due for history: at its close, and later ones `correctionDelayMs` after the first of them at the latest. */
function dueMs(slice: Slice, { correctionsAtMs }: Emissions, correctionDelayMs: number): number {
  if (slice.revision <= slice.emittedRevision) return Number.POSITIVE_INFINITY;
  const closesMs = slice.startMs + WINDOW_MS + GRACE_MS;
  const changedMs = slice.dirtySinceMs ?? slice.revision;
  if (changedMs < closesMs) return closesMs;
  const latestMs = changedMs + correctionDelayMs;
  return changedMs <= correctionsAtMs ? Math.min(correctionsAtMs, latestMs) : latestMs;
}

/**
 * The next emission, `undefined` when nothing is due or too much is on its way already. What is due comes first; corrections that are not
 * due yet go with it, which is one emission less. Changes nothing yet.
 */
export function nextEmission(
  state: ShardState,
  emissions: Emissions,
  nowMs: number,
  correctionDelayMs: number,
): Emission | undefined {
  if (emissions.pending.size >= EMISSIONS_PENDING_MAX) return undefined;
  const closed = [...state.slices.values()].filter(({ startMs }) => isClosed(startMs, nowMs));
  const isDue = (slice: Slice) => dueMs(slice, emissions, correctionDelayMs) <= nowMs;
  const due = closed.filter(isDue);
  if (due.length === 0) return undefined;
  const early = closed.filter((slice) => slice.revision > slice.emittedRevision && !isDue(slice));
  const slices: Portion[] = [];
  let rows = 0;
  for (const slice of [...due, ...early]) {
    if (rows >= EMISSION_ROWS_MAX) break;
    rows += slice.changes(slice.emittedRevision);
    slices.push({ slice, after: slice.emittedRevision, revision: slice.revision });
  }
  return { id: emissions.lastId + 1, slices, windows: windowsOf(slices) };
}

function* windowsOf(portions: readonly Portion[]): Generator<MerchantWindow> {
  for (const { slice, after } of portions) yield* slice.windows(after);
}

/** Opens an emission, so that a confirmation that overtakes the end of sending is not missed. Nothing counts as sent yet. */
export function beginEmission(emissions: Emissions, { id, slices }: Emission, nowMs: number): void {
  emissions.pending.set(id, { id, slices, confirmed: new Set(), parts: Number.POSITIVE_INFINITY, sentAtMs: nowMs });
  emissions.lastId = id;
}

/** Forgets an emission the queue refused: everything in it is still due. */
export function abandonEmission(emissions: Emissions, id: number): void {
  emissions.pending.delete(id);
}

/**
 * Notes that the queue has all parts of an emission; what changes from now on goes `correctionDelayMs` later. To be called after the queue
 * said so, never before: a crash in between sends it again, the other order would lose it. Answers the slices stored meanwhile, as
 * `confirmEmission` does.
 */
export function markEmitted(
  emissions: Emissions,
  { id, slices }: Emission,
  parts: number,
  nowMs: number,
  correctionDelayMs: number,
): Slice[] {
  emissions.correctionsAtMs = nowMs + correctionDelayMs;
  for (const { slice, revision } of slices) {
    slice.emittedRevision = Math.max(slice.emittedRevision, revision);
    // A change that came while the emission was on its way to the queue waits for the next one.
    slice.dirtySinceMs = slice.revision > revision ? nowMs : undefined;
  }
  const pending = emissions.pending.get(id);
  if (pending !== undefined) pending.parts = parts;
  return completed(emissions);
}

/** Notes that history holds a part; answers the slices whose stored revision grew, once the last part is in. */
export function confirmEmission(emissions: Emissions, id: number, part: number): Slice[] {
  const emission = emissions.pending.get(id);
  if (emission === undefined) return [];
  emission.confirmed.add(part);
  return completed(emissions);
}

/**
 * Takes out the emissions that are wholly in history. One waits for those before it that have a slice in common: it holds only what
 * changed since, and a revision marked as stored says that everything up to it is.
 */
function completed(emissions: Emissions): Slice[] {
  const grown = new Set<Slice>();
  for (const { id, slices, confirmed, parts } of emissions.pending.values()) {
    if (confirmed.size < parts || slices.some(({ slice, after }) => slice.storedRevision < after)) continue;
    emissions.pending.delete(id);
    for (const { slice, revision } of slices) {
      if (revision <= slice.storedRevision) continue;
      slice.storedRevision = revision;
      grown.add(slice);
    }
  }
  return [...grown];
}

/** Gives up on emissions nobody confirmed in time: their slices are due again. */
export function expireEmissions(emissions: Emissions, nowMs: number): void {
  for (const { id, slices, sentAtMs } of emissions.pending.values()) {
    if (nowMs - sentAtMs < EMISSION_TIMEOUT_MS) continue;
    emissions.pending.delete(id);
    for (const { slice } of slices) {
      if (slice.storedRevision >= slice.emittedRevision) continue;
      slice.emittedRevision = slice.storedRevision;
      slice.dirtySinceMs ??= nowMs;
    }
  }
}

/**
 * When the shard next has something to do of itself: rebuild, not before `rebuildFromMs`, send, give up waiting, or forget. `undefined` for a shard with
 * nothing in it.
 */
export function nextAlarmMs(
  state: ShardState,
  emissions: Emissions,
  nowMs: number,
  correctionDelayMs: number,
  rebuildFromMs = 0,
): number | undefined {
  let next = state.damaged.size > 0 ? rebuildFromMs : Number.POSITIVE_INFINITY;
  if (next <= nowMs) return nowMs;
  let oldestMs = Number.POSITIVE_INFINITY;
  let oldestUnstoredMs = Number.POSITIVE_INFINITY;
  const maySend = emissions.pending.size < EMISSIONS_PENDING_MAX;
  for (const slice of state.slices.values()) {
    if (maySend) next = Math.min(next, dueMs(slice, emissions, correctionDelayMs));
    oldestMs = Math.min(oldestMs, slice.startMs);
    if (slice.storedRevision < slice.revision) oldestUnstoredMs = Math.min(oldestUnstoredMs, slice.startMs);
  }
  // Nothing is dropped while something older is not stored (`droppable`): to ring for it would be to ring without end.
  if (oldestMs < oldestUnstoredMs) {
    next = Math.min(next, oldestMs + WINDOW_MS + LATENESS_HORIZON_MS + RETENTION_MARGIN_MS);
  }
  // Set now, it need not be set anew for the corrections that come, as they nearly always do.
  if (emissions.pending.size > 0 && emissions.correctionsAtMs > nowMs) next = Math.min(next, emissions.correctionsAtMs);
  for (const { sentAtMs } of emissions.pending.values()) next = Math.min(next, sentAtMs + EMISSION_TIMEOUT_MS);
  return Number.isFinite(next) ? Math.max(next, nowMs) : undefined;
}
