import { expect, test } from "vitest";
import { HistoryUnavailable } from "../history.ts";
import { type ArchivedCopy, ArchiveMoved, HourTooLarge, HourTooSlow } from "./archive-reader.ts";
import { SEARCH_PAUSE_S } from "./searches.ts";
import { PAGE_PAUSE_MS, PAGE_TRIES_MAX, pagesAfter, TABLE_MS_MAX, TABLE_PAGES_MAX } from "./table-pages.ts";

const place = (atMs: number) => ({ atMs, eventId: "" });
/** Of a list that goes on. */
const FIRST = { events: [], next: place(0), isOutOfTime: false };
const eventAt = (occurred_at: number) => ({ event_id: `e-${occurred_at}`, occurred_at }) as ArchivedCopy;

/**
 * A list of so many pages, an event each; `failures` are thrown by what is asked for in turn, before it answers. What is asked for at a number of `emptyAt` has no
 * time to find anything.
 */
function listOf(
  pages: number,
  failures: readonly (Error | undefined)[] = [],
  readMs = 0,
  emptyAt: readonly number[] = [],
) {
  let nowMs = 0;
  const asked: number[] = [];
  const waits: number[] = [];
  const again: unknown[] = [];
  const reader = {
    read: async ({ atMs }: { atMs: number }) => {
      const failure = failures[asked.length];
      asked.push(atMs);
      nowMs += readMs;
      if (failure !== undefined) throw failure;
      const isOutOfTime = emptyAt.includes(asked.length - 1);
      if (isOutOfTime) return { events: [], next: place(atMs), isOutOfTime };
      return { events: [eventAt(atMs)], next: atMs + 1 < pages ? place(atMs + 1) : undefined, isOutOfTime };
    },
    clockMs: () => nowMs,
    wait: async (ms: number) => {
      waits.push(ms);
      nowMs += ms;
    },
    onAgain: (error: unknown) => again.push(error),
  };
  return { reader, asked, waits, again };
}

async function eventsOf(reader: ReturnType<typeof listOf>["reader"]): Promise<string[]> {
  return (await Array.fromAsync(pagesAfter(FIRST, reader))).flat().map(({ event_id }) => event_id);
}

const tooSlow = () => new HourTooSlow(0, undefined, {});

test.each([tooSlow(), new HistoryUnavailable("busy"), new ArchiveMoved("compacted meanwhile")])(
  "a page that cannot be read right now is asked for once more, and the table is whole: %s",
  async (failure) => {
    const { reader, asked, waits, again } = listOf(3, [undefined, failure]);
    expect(await eventsOf(reader)).toEqual(["e-0", "e-1", "e-2"]);
    expect(asked).toEqual([0, 1, 1, 2]);
    expect(waits).toEqual([PAGE_PAUSE_MS]);
    expect(again).toEqual([failure]);
  },
);

test("each page may be asked for again, and none more often than that: the table is broken off, never ended", async () => {
  const each = listOf(3, [tooSlow(), undefined, tooSlow(), undefined, tooSlow()]);
  expect(await eventsOf(each.reader)).toEqual(["e-0", "e-1", "e-2"]);
  const failure = tooSlow();
  const { reader, asked } = listOf(3, [undefined, ...Array.from({ length: PAGE_TRIES_MAX }, () => failure)]);
  const pages = pagesAfter(FIRST, reader);
  expect((await pages.next()).done).toBe(false);
  await expect(pages.next()).rejects.toBe(failure);
  expect(asked).toEqual([0, ...Array.from({ length: PAGE_TRIES_MAX }, () => 1)]);
});

test.each([new HourTooLarge(0, { bytes: 1, objects: 1, isUncompacted: true }), new TypeError("a bug")])(
  "what is the same a second later is not asked for again: %s",
  async (failure) => {
    const { reader, asked } = listOf(2, [failure]);
    await expect(eventsOf(reader)).rejects.toBe(failure);
    expect(asked).toEqual([0]);
  },
);

test("a table takes no longer with pages that are asked for again than without", async () => {
  const failures = [...Array.from({ length: 4 }, () => undefined), tooSlow()];
  const { reader, waits } = listOf(10, failures, TABLE_MS_MAX / 5);
  await expect(eventsOf(reader)).rejects.toBeInstanceOf(HourTooSlow);
  expect(waits).toEqual([]);
});

test("after a page that had no time to find anything there is a pause, and the table is whole", async () => {
  const { reader, asked, waits } = listOf(3, [], 0, [1, 2]);
  expect(await eventsOf(reader)).toEqual(["e-0", "e-1", "e-2"]);
  expect(asked).toEqual([0, 1, 1, 1, 2]);
  expect(waits).toEqual([SEARCH_PAUSE_S * 1_000, SEARCH_PAUSE_S * 1_000]);
});

test("there is a pause, too, when it is the first page that had no time to find anything", async () => {
  const { reader, waits } = listOf(1);
  await Array.fromAsync(pagesAfter({ ...FIRST, isOutOfTime: true }, reader));
  expect(waits).toEqual([SEARCH_PAUSE_S * 1_000]);
});

test("a table of more pages than one takes is broken off", async () => {
  const { reader, asked } = listOf(TABLE_PAGES_MAX + 1);
  await expect(eventsOf(reader)).rejects.toThrow("pages");
  expect(asked).toHaveLength(TABLE_PAGES_MAX - 1);
});
