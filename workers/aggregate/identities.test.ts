import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventBatch } from "../../shared/event-batch.ts";
import { IdSet } from "./id-set.ts";
import { Identities } from "./identities.ts";
import { packRuns, SealedRun } from "./sealed-run.ts";

type Fingerprint = readonly [lo: number, hi: number];

/** As much of a batch as identities look at. */
const batchOf = (events: readonly Fingerprint[]) =>
  ({
    size: events.length,
    fingerprintLo: (i: number) => events[i]?.[0] ?? 0,
    fingerprintHi: (i: number) => events[i]?.[1] ?? 0,
  }) as unknown as EventBatch;

/** Seals what is fresh, as a checkpoint does. `onRead` is told of each part that is read. */
function sealed({ fresh, runs }: Identities, onRead: () => void = () => {}): Identities {
  const packed = [...packRuns(fresh.words(), 1)].map(
    ({ head, filter, parts }) =>
      new SealedRun(head, filter, (part) => {
        onRead();
        return IdSet.fromSlots(parts[part]?.slots ?? new Uint32Array());
      }),
  );
  return new Identities(new IdSet(), [...runs, ...packed]);
}

/** Both halves as evenly spread as those of keyed hashes. */
const spread = (i: number): Fingerprint => [Math.imul(i, 0x9e3779b1) >>> 0, Math.imul(i, 0x85ebca6b) >>> 0];

const word = fc.oneof(fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
// Of 2^64 fingerprints (0, 0) and (0, 1) are one (`id-set.ts`).
const fingerprint = fc.tuple(word, word).filter(([lo, hi]) => lo !== 0 || hi !== 1);
const steps = fc.array(
  fc.record({ batch: fc.array(fingerprint, { maxLength: 20 }), seals: fc.boolean(), recalls: fc.boolean() }),
  { maxLength: 12 },
);

describe("identities that are partly on disk", () => {
  test("answer as those do that are all in memory, whenever they are sealed, recalled or not", () => {
    fc.assert(
      fc.property(steps, fc.array(fingerprint, { maxLength: 20 }), (steps, strangers) => {
        let ids = new Identities();
        const whole = new IdSet();
        let check = 0;
        for (const { batch, seals, recalls } of steps) {
          if (seals) ids = sealed(ids);
          const seen = [...batch, ...strangers];
          if (recalls) ids.recall(batchOf(seen));
          for (const [lo, hi] of seen) expect(ids.get(lo, hi)).toBe(whole.get(lo, hi));
          for (const [lo, hi] of batch) {
            expect(ids.get(lo, hi)).toBe(whole.get(lo, hi));
            if (whole.get(lo, hi) !== undefined) continue;
            check += 1;
            ids.add(lo, hi, check);
            whole.add(lo, hi, check);
          }
        }
        expect(ids.size).toBe(whole.size);
      }),
      { numRuns: 300 },
    );
  });

  test("read each part once for a batch, and nothing more when they are asked about its events", () => {
    const events = Array.from(
      { length: 20_000 },
      (_, i): Fingerprint => [Math.imul(i, 0x9e3779b1) >>> 0, Math.imul(i, 0x85ebca6b) >>> 0],
    );
    const fresh = new Identities();
    for (const [lo, hi] of events) fresh.add(lo, hi, 7);
    let reads = 0;
    const ids = sealed(fresh, () => {
      reads += 1;
    });
    ids.recall(batchOf(events));
    expect(reads).toBe(3);
    for (const [lo, hi] of events) expect(ids.get(lo, hi)).toBe(7);
    expect(reads).toBe(3);
  });

  test("take a sixth of the memory, or less", () => {
    const fresh = new Identities();
    for (let i = 0; i < 200_000; i++) fresh.add(...spread(i), i);
    expect(sealed(fresh).byteLength).toBeLessThan(fresh.byteLength / 6);
  });
});
