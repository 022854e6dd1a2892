import type { EventBatch } from "../../shared/event-batch.ts";
import { IdSet, keyHi } from "./id-set.ts";
import type { SealedRun } from "./sealed-run.ts";

/**
 * The events that one window has seen. Those since the last ones were sealed are in memory, 16 to 21 bytes each; sealed ones stand on disk, with
 * 2.5 bytes each in memory that say of most new events that they are. No answer depends on which.
 */
export class Identities {
  readonly fresh: IdSet;
  readonly runs: readonly SealedRun[];
  /** Of the events that were recalled and that a filter let pass: what stands on disk of them, and which do not. */
  #found = new IdSet();
  #absent = new IdSet();

  constructor(fresh: IdSet = new IdSet(), runs: readonly SealedRun[] = []) {
    this.fresh = fresh;
    this.runs = runs;
  }

  get size(): number {
    return this.runs.reduce((size, { head }) => size + head.events, this.fresh.size);
  }

  get byteLength(): number {
    return this.runs.reduce((bytes, { filter }) => bytes + filter.words.byteLength, this.fresh.byteLength);
  }

  /** The check stored with this fingerprint, `undefined` when the event is new. Throws `DamagedWindow`, but of what was recalled. */
  get(lo: number, hi: number): number | undefined {
    const known = this.fresh.get(lo, hi);
    return known !== undefined || this.runs.length === 0 ? known : this.#sealed(lo, keyHi(lo, hi));
  }

  /** Adds a fingerprint that is not there yet. */
  add(lo: number, hi: number, check: number): void {
    this.fresh.add(lo, hi, check);
  }

  /** Looks on disk for a batch's events, each part of it once. Asking about them reads no more, and throws nothing, until the next batch's. */
  recall(batch: EventBatch): void {
    if (this.runs.length === 0) return;
    const found = new IdSet();
    const asked = new Set<number>();
    for (const run of this.runs) {
      for (const [part, events] of partsAsked(run, batch)) {
        const ids = run.part(part);
        for (const i of events) {
          asked.add(i);
          const check = ids.get(batch.fingerprintLo(i), batch.fingerprintHi(i));
          if (check !== undefined) addOnce(found, batch, i, check);
        }
      }
    }
    this.#found = found;
    this.#absent = new IdSet();
    for (const i of asked) {
      if (found.get(batch.fingerprintLo(i), batch.fingerprintHi(i)) === undefined) addOnce(this.#absent, batch, i, 0);
    }
  }

  #sealed(lo: number, hi: number): number | undefined {
    for (const run of this.runs) {
      if (!run.filter.mayHave(lo, hi)) continue;
      const known = this.#found.get(lo, hi);
      if (known !== undefined) return known;
      if (this.#absent.get(lo, hi) !== undefined) return undefined;
      const check = run.part(run.partOf(hi)).get(lo, hi);
      if (check !== undefined) return check;
    }
    return undefined;
  }
}

/** Positions of the events that a run may have, by its parts. */
function partsAsked(run: SealedRun, batch: EventBatch): Map<number, number[]> {
  const parts = new Map<number, number[]>();
  for (let i = 0; i < batch.size; i++) {
    const lo = batch.fingerprintLo(i);
    const hi = keyHi(lo, batch.fingerprintHi(i));
    if (!run.filter.mayHave(lo, hi)) continue;
    const part = run.partOf(hi);
    const events = parts.get(part);
    if (events === undefined) parts.set(part, [i]);
    else events.push(i);
  }
  return parts;
}

/** A batch may have an event twice. */
function addOnce(ids: IdSet, batch: EventBatch, i: number, check: number): void {
  const [lo, hi] = [batch.fingerprintLo(i), batch.fingerprintHi(i)];
  if (ids.get(lo, hi) === undefined) ids.add(lo, hi, check);
}
