import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toRow } from "../../shared/window-row.ts";
import { batchesOf, MERCHANTS, runs } from "./batch-run.arbitrary.ts";
import { DamagedWindow } from "./damage.ts";
import { beginEmission, type Emissions, markEmitted, nextEmission, noEmissions } from "./emission.ts";
import { emptyState, fold, isRecent, judgeRepeats, MOVED_REPEAT_MS, nextAtMs, type ShardState } from "./engine.ts";
import { decodePages, decodeTable, encodePages } from "./page.ts";
import {
  bringBackWithin,
  makeRoom,
  type Paging,
  pageOut,
  residentBytes,
  ShardFull,
  slicesFor,
  windowStartsOf,
} from "./residency.ts";
import { batchOf, HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import type { Slice, SlicePages } from "./slice.ts";
import { readWindows } from "./test-windows.ts";

const WINDOW_MS = 10 * MINUTE_MS;
const UNLIMITED = {
  residentBytesMax: Number.POSITIVE_INFINITY,
  shardBytesMax: Number.POSITIVE_INFINITY,
  sealedEventsMin: Number.POSITIVE_INFINITY,
};
const TINY = { ...UNLIMITED, residentBytesMax: 0 };

/** Storage that is an array of pages by window, with everything the shell would do around a fold. */
class PagedShard implements Paging {
  readonly state = emptyState();
  readonly emissions: Emissions = noEmissions(1);
  readonly #pages = new Map<number, Uint8Array[]>();
  readonly #limits: typeof UNLIMITED;
  checkpoints = 0;

  constructor(limits: typeof UNLIMITED) {
    this.#limits = limits;
  }

  apply(events: Parameters<typeof batchOf>[0], nowMs: number): number[] {
    const batch = batchOf(events);
    const atMs = nextAtMs(this.state, nowMs);
    const needed = slicesFor(this.state, windowStartsOf(batch), atMs);
    makeRoom(this.state, needed, atMs, this.#limits, this);
    for (const slice of needed) slice.bringBack();
    return [...(judgeRepeats(this.state, batch, atMs) ?? fold(this.state, batch, atMs))];
  }

  emit(nowMs: number): string {
    const emission = nextEmission(this.state, this.emissions, nowMs, 0);
    if (emission === undefined) return "nothing";
    beginEmission(this.emissions, emission, nowMs);
    const rows = JSON.stringify([...emission.windows].map(toRow));
    markEmitted(this.emissions, emission, 1, nowMs, 0);
    return rows;
  }

  checkpoint(): void {
    this.checkpoints += 1;
    for (const slice of this.state.slices.values()) {
      if (slice.pagedRevision === slice.revision) continue;
      this.#pages.set(slice.startMs, encodePages(slice));
      slice.pagedRevision = slice.revision;
    }
  }

  pageOut(nowMs: number): void {
    this.checkpoint();
    pageOut(this.state, new Set(), nextAtMs(this.state, nowMs), 0, this);
  }

  pagesOf({ startMs, bytes, table }: Slice): SlicePages {
    const pages = this.#pages.get(startMs) ?? [];
    return {
      bytes,
      windows: table.size,
      contents: () => decodePages(pages, () => []).bringBack(),
      table: () => decodeTable(pages).table,
    };
  }
}

const read = (state: ShardState) =>
  JSON.stringify(MERCHANTS.flatMap((merchant) => readWindows(state, merchant, 0, 1e15)).map(toRow));
const residents = (state: ShardState) => [...state.slices.values()].filter(({ isResident }) => isResident);

/** One window an hour of a day, oldest first, each with a payment. */
function day(shard: PagedShard, events = 1): void {
  for (let hour = 24; hour > 0; hour--) {
    const occurred_at = NOON_MS - hour * HOUR_MS;
    shard.apply(payments(`${hour}`, events, { occurred_at }), occurred_at);
  }
}

describe("what is paged out", () => {
  test("shows in no answer: verdicts, readings and emissions are those of a shard that keeps everything", () => {
    const chores = fc.array(fc.constantFrom("page out", "checkpoint", "emit", "nothing"), {
      minLength: 12,
      maxLength: 12,
    });
    fc.assert(
      fc.property(runs, chores, (run, chores) => {
        const [whole, paged] = [new PagedShard(UNLIMITED), new PagedShard(TINY)];
        batchesOf(run).forEach(({ nowMs, events }, i) => {
          expect(paged.apply(events, nowMs)).toEqual(whole.apply(events, nowMs));
          if (chores[i] === "page out") paged.pageOut(nowMs);
          if (chores[i] === "checkpoint") paged.checkpoint();
          if (chores[i] === "emit") expect(paged.emit(nowMs)).toBe(whole.emit(nowMs));
          expect(read(paged.state)).toBe(read(whole.state));
        });
        paged.pageOut(NOON_MS);
        expect(paged.emit(NOON_MS + 30 * HOUR_MS)).toBe(whole.emit(NOON_MS + 30 * HOUR_MS));
        expect([paged.state.seq, paged.state.atMs]).toEqual([whole.state.seq, whole.state.atMs]);
      }),
      { numRuns: 80 },
    );
  });

  test("is never recent, and never has changes that are in no page", () => {
    const shard = new PagedShard(TINY);
    day(shard);
    shard.pageOut(NOON_MS);
    shard.apply([payment({ event_id: "late", occurred_at: NOON_MS - 5 * HOUR_MS })], NOON_MS);
    pageOut(shard.state, new Set(), nextAtMs(shard.state, NOON_MS), 0, shard);
    expect(residents(shard.state).map(({ startMs }) => startMs)).toEqual([NOON_MS - 5 * HOUR_MS, NOON_MS - HOUR_MS]);
    expect(isRecent(NOON_MS - HOUR_MS, NOON_MS)).toBe(true);
    expect(MOVED_REPEAT_MS).toBeLessThan(2 * HOUR_MS);
  });

  test("stays so when it is read or sent", () => {
    const shard = new PagedShard(TINY);
    day(shard);
    shard.pageOut(NOON_MS);
    const before = residents(shard.state);
    expect(JSON.parse(read(shard.state)).length).toBe(24);
    expect(JSON.parse(shard.emit(NOON_MS)).length).toBe(24);
    expect(residents(shard.state)).toEqual(before);
  });

  test("comes back whole or not at all", () => {
    const shard = new PagedShard(TINY);
    day(shard);
    shard.pageOut(NOON_MS);
    const [slice] = shard.state.slices.values();
    const [pages] = [shard.pagesOf(slice ?? expect.fail())];
    shard.pageOut(NOON_MS);
    let fails = true;
    slice?.pageOut({
      ...pages,
      contents: () => {
        if (fails) throw new DamagedWindow(slice.startMs);
        return pages.contents();
      },
    });
    expect(() => slice?.bringBack()).toThrow(DamagedWindow);
    expect(slice?.isResident).toBe(false);
    fails = false;
    expect(slice?.ids.size).toBe(1);
  });
});

describe("memory", () => {
  test("is kept within the budget by paging out what was unused for longest", () => {
    const shard = new PagedShard(UNLIMITED);
    day(shard);
    shard.checkpoint();
    shard.apply([payment({ event_id: "24-0", occurred_at: NOON_MS - 24 * HOUR_MS })], NOON_MS);
    const bytes = residentBytes(shard.state);
    pageOut(shard.state, new Set(), NOON_MS, bytes / 2, shard);
    expect(residentBytes(shard.state)).toBeLessThanOrEqual(bytes / 2);
    expect(residentBytes(shard.state)).toBeGreaterThan(bytes / 3);
    const kept = residents(shard.state).map(({ startMs }) => startMs);
    // The oldest window was asked for just now; of the others the latest stay.
    expect(kept[0]).toBe(NOON_MS - 24 * HOUR_MS);
    expect(kept.slice(1)).toEqual(
      Array.from({ length: kept.length - 1 }, (_, i) => NOON_MS - (kept.length - 1 - i) * HOUR_MS),
    );
  });

  test("filled by changes of old windows is freed by a checkpoint", () => {
    const full = new PagedShard(UNLIMITED);
    day(full);
    const bytes = residentBytes(full.state);
    const shard = new PagedShard({ ...UNLIMITED, residentBytesMax: bytes / 4, shardBytesMax: bytes / 2 });
    day(shard);
    expect(shard.checkpoints).toBeGreaterThan(0);
    expect(shard.checkpoints).toBeLessThan(12);
    expect(residentBytes(shard.state)).toBeLessThanOrEqual(bytes / 2 + bytes / 24);
    expect(read(shard.state)).toBe(read(full.state));
  });

  test("that recent windows alone fill refuses a batch, and counts it once they are old enough to go", () => {
    const shard = new PagedShard({ ...UNLIMITED, residentBytesMax: 1_000, shardBytesMax: 20_000 });
    shard.apply(payments("a", 2_000), NOON_MS);
    const before = read(shard.state);
    expect(() => shard.apply(payments("b", 1), NOON_MS + 1)).toThrow(ShardFull);
    expect(read(shard.state)).toBe(before);
    const nowMs = NOON_MS + WINDOW_MS + MOVED_REPEAT_MS;
    expect(shard.apply([payment({ event_id: "c", occurred_at: nowMs })], nowMs)).toEqual([0]);
  });

  test("takes in what is read only as far as there is room, and lets go of nothing for it", () => {
    const shard = new PagedShard(UNLIMITED);
    day(shard);
    const bytes = residentBytes(shard.state);
    shard.pageOut(NOON_MS);
    const slices = [...shard.state.slices.values()];
    const before = residents(shard.state);
    bringBackWithin(shard.state, slices, bytes / 2);
    expect(residentBytes(shard.state)).toBeLessThanOrEqual(bytes / 2);
    expect(residents(shard.state).length).toBeGreaterThan(10);
    expect(residents(shard.state)).toEqual(expect.arrayContaining(before));
    bringBackWithin(shard.state, slices, bytes);
    expect(residents(shard.state)).toEqual(slices);
  });

  test("counts what slices hold, in memory and before they are brought back", () => {
    const shard = new PagedShard(TINY);
    day(shard, 300);
    const bytes = residentBytes(shard.state);
    expect(bytes).toBeGreaterThan(24 * 300 * 12);
    shard.pageOut(NOON_MS);
    expect([...shard.state.slices.values()].reduce((sum, slice) => sum + slice.bytes, 0)).toBe(bytes);
    expect(residentBytes(shard.state)).toBeLessThan(bytes / 20);
  });
});
