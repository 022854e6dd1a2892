import { slotOf } from "../../shared/text-table.ts";
import { IdFilter } from "./id-filter.ts";
import { ID_WORDS, IdSet } from "./id-set.ts";

/** A checkpoint seals the events of a window that has so many new ones: most windows never have. */
export const SEALED_EVENTS_MIN = 100_000;
/** Of one run: its filter, 1.25 MB, is one row of the object's SQLite, of at most 2 MB. */
const RUN_EVENTS_MAX = 500_000;
/** An event that may be a repeat has one part read: 130 to 170 KB. */
const PART_EVENTS = 8_000;

/** What a window's page says of a run. */
export interface RunHead {
  readonly events: number;
  /** The window's when they were sealed: rows that an earlier state of the window has left are no part of it. */
  readonly revision: number;
}

/** A run as it is written. */
export interface PackedRun {
  readonly head: RunHead;
  readonly filter: IdFilter;
  /** By `partOf`. */
  readonly parts: readonly IdSet[];
}

/** Identities of one window that stand on disk, with what tells in memory which events need not be looked for there. */
export class SealedRun {
  readonly head: RunHead;
  readonly filter: IdFilter;
  readonly #readPart: (part: number) => IdSet;

  /** `readPart` throws `DamagedWindow` when the part is not what was written. */
  constructor(head: RunHead, filter: IdFilter, readPart: (part: number) => IdSet) {
    this.head = head;
    this.filter = filter;
    this.#readPart = readPart;
  }

  /** Number of the part in which an event is, if the run has it. */
  partOf(hi: number): number {
    return partOf(this.head.events, hi);
  }

  /** Reads a part. */
  part(part: number): IdSet {
    return this.#readPart(part);
  }
}

/** How many runs so many events make. */
export function runsOf(events: number): number {
  return Math.ceil(events / RUN_EVENTS_MAX);
}

export function partsOf(events: number): number {
  return Math.ceil(events / PART_EVENTS);
}

/** By the high half: sets spread their events by the low one. */
function partOf(events: number, hi: number): number {
  return slotOf(hi, partsOf(events));
}

/** A set's words (`IdSet.words`) as runs. */
export function* packRuns(words: Uint32Array, revision: number): Generator<PackedRun> {
  const runs = runsOf(words.length / ID_WORDS);
  for (let run = 0; run < runs; run++) {
    const cut = (at: number) => ID_WORDS * Math.floor((at * words.length) / ID_WORDS / runs);
    yield packRun(words.subarray(cut(run), cut(run + 1)), revision);
  }
}

function packRun(words: Uint32Array, revision: number): PackedRun {
  const events = words.length / ID_WORDS;
  const filter = new IdFilter(events);
  const parts = Array.from({ length: partsOf(events) }, () => new IdSet(PART_EVENTS));
  for (let at = 0; at < words.length; at += ID_WORDS) {
    const lo = words[at] ?? 0;
    const hi = words[at + 1] ?? 0;
    filter.add(lo, hi);
    parts[partOf(events, hi)]?.add(lo, hi, words[at + 2] ?? 0);
  }
  return { head: { events, revision }, filter, parts };
}
