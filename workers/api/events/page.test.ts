import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import {
  type ArchivedCopy,
  GROUP_OBJECTS_MAX,
  HOUR_LINES_BYTES_MAX,
  HOUR_OBJECTS_MAX,
  HourTooLarge,
  HourTooSlow,
  LINES_BYTES_MAX,
  OBJECTS_MAX,
} from "./archive-reader.ts";
import { countEvents, firstPlace, foundNothingInTime, type PageReader, readPage } from "./page.ts";
import { SearchTooSlow } from "./search-time.ts";

const hourMs = Date.UTC(2026, 10, 3, 12);
const nowMs = hourMs + 10 * DAY_MS;
const span = { fromMs: hourMs, toMs: hourMs + HOUR_MS };

/** An hour of objects, each with some events, and one that stands in all of them. */
function hourOfObjects(count: number, bytes: number, kind: ArchivedObject["kind"] = "lines") {
  const copyOf = (event_id: string, at: number, received_at: number) =>
    ({ event_id, occurred_at: hourMs + at, received_at, batch: "b", n: 0, matches: 1 }) as ArchivedCopy;
  const objects = Array.from({ length: count }, (_, n) => ({
    object: { key: `object-${n}`, size: bytes, hourMs, kind } satisfies ArchivedObject,
    copies: [
      ...[1, 2, 3].map((k) => copyOf(`own-${n}-${k}`, k * 1_000 + n, hourMs + 5)),
      copyOf("everywhere", 2_500, hourMs + n * WINDOW_MS),
    ],
  }));
  const asked: string[][] = [];
  const copiesIn = (some: readonly ArchivedObject[]) =>
    objects.filter(({ object }) => some.some(({ key }) => key === object.key)).flatMap(({ copies }) => copies);
  const reader: PageReader = {
    isLate: false,
    hours: async () => [hourMs],
    objects: async (hours) => new Map(hours.includes(hourMs) ? [[hourMs, objects.map(({ object }) => object)]] : []),
    keys: async (some, order, { at, id, limit }) => {
      asked.push(some.map(({ key }) => key));
      const sign = order === "oldest" ? 1 : -1;
      const placeOf = ({ occurred_at, event_id }: ArchivedCopy) => [occurred_at, event_id] as const;
      const compare = (a: readonly [number, string], b: readonly [number, string]) =>
        sign * (a[0] - b[0] || (a[1] < b[1] ? -1 : Number(a[1] > b[1])));
      const rows = copiesIn(some)
        .filter((copy) => compare(placeOf(copy), [at, id]) > 0)
        .sort((a, b) => compare(placeOf(a), placeOf(b)));
      return rows.slice(0, limit).map(({ occurred_at, event_id, received_at }) => {
        return { occurred_at, event_id, received: [Math.floor(received_at / WINDOW_MS)] };
      });
    },
    copies: async (some, ids) => copiesIn(some).filter(({ event_id }) => ids.includes(event_id)),
  };
  const expected = objects.flatMap(({ copies }) => copies);
  const ids = new Map(expected.map(({ event_id, occurred_at }) => [event_id, occurred_at]));
  return { reader, asked, ids: [...ids].sort((a, b) => a[1] - b[1]).map(([id]) => id) };
}

test.each(["oldest", "newest"] as const)(
  "an hour whose lines take several statements is one list, %s first, each event in it once",
  async (order) => {
    const { reader, asked, ids } = hourOfObjects(6, LINES_BYTES_MAX / 2);
    const listed: string[] = [];
    for (let after = firstPlace({ ...span, order }); ; ) {
      const page = await readPage(reader, { ...span, order, limit: 4, after }, nowMs, HOUR_LINES_BYTES_MAX);
      listed.push(...page.events.map(({ event_id }) => event_id));
      if (page.next === undefined || listed.length >= ids.length) break;
      after = page.next;
    }
    expect(listed).toEqual(order === "oldest" ? ids : [...ids].reverse());
    expect(asked[0]).toHaveLength(2);
  },
);

test("an hour with more than a request may read is refused with what it has", async () => {
  const { reader, asked } = hourOfObjects(5, LINES_BYTES_MAX);
  const query = { ...span, order: "oldest", limit: 4, after: firstPlace({ ...span, order: "oldest" }) } as const;
  const refused = await readPage(reader, query, nowMs, HOUR_LINES_BYTES_MAX).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HourTooLarge);
  expect(refused).toMatchObject({ hourMs, bytes: 5 * LINES_BYTES_MAX, isUncompacted: true });
  expect(asked).toEqual([]);
});

test("an hour of too many objects is not said to wait for compaction when it is compacted", async () => {
  const { reader } = hourOfObjects(HOUR_OBJECTS_MAX + 1, 1, "parquet");
  const query = { ...span, order: "oldest", limit: 4, after: firstPlace({ ...span, order: "oldest" }) } as const;
  const refused = await readPage(reader, query, nowMs).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HourTooLarge);
  expect(refused).toMatchObject({ objects: HOUR_OBJECTS_MAX + 1, isUncompacted: false });
});

test.each([
  { kind: "parquet", passedOver: { waiting: [], tooLarge: [hourMs] } },
  { kind: "lines", passedOver: { waiting: [hourMs], tooLarge: [] } },
] as const)(
  "an hour that is not counted is known to wait to be compacted, or to have too much: $kind",
  async (given) => {
    const { reader } = hourOfObjects(OBJECTS_MAX + 1, 1, given.kind);
    // Once, or the list would never end.
    let isFirst = true;
    const hours = async () => {
      const found = isFirst ? [hourMs] : [];
      isFirst = false;
      return found;
    };
    const count = async () => 1;
    expect(await countEvents({ ...reader, isLate: false, hours, count }, span, nowMs)).toEqual({
      events: 0,
      ...given.passedOver,
    });
  },
);

interface SlowHours {
  readonly lateAfter?: number;
  readonly stuckAfter?: number;
  /** Of the objects of an hour of the list; the others', which are beside it, are lines. */
  readonly kinds?: readonly ArchivedObject["kind"][];
  readonly areCopiesSlow?: boolean;
}

/** Hours with one event each, received two hours after the last; the time is up after so many statements, or what is begun then never ends. */
function slowHours(
  count: number,
  { lateAfter = Number.POSITIVE_INFINITY, stuckAfter = Number.POSITIVE_INFINITY, ...slow }: SlowHours = {},
) {
  const { kinds = Array.from({ length: GROUP_OBJECTS_MAX }, () => "lines"), areCopiesSlow = false } = slow;
  const receivedMs = hourMs + (count + 2) * HOUR_MS;
  const hours = Array.from({ length: count }, (_, n) => hourMs + n * HOUR_MS);
  let statements = 0;
  const copyAt = (atMs: number) =>
    ({
      event_id: `at-${atMs}`,
      occurred_at: atMs,
      received_at: receivedMs,
      batch: "b",
      n: 0,
      matches: 1,
    }) as ArchivedCopy;
  const objectsOf = (ms: number): ArchivedObject[] => {
    if (!hours.includes(ms)) return [{ key: `${ms}/beside`, size: 1, hourMs: ms, kind: "lines" }];
    return kinds.map((kind, n) => ({ key: `${ms}/${n}`, size: 1, hourMs: ms, kind }));
  };
  const reader: PageReader = {
    get isLate() {
      return statements >= lateAfter;
    },
    hours: async (fromMs, toMs) => hours.filter((ms) => ms >= fromMs && ms < toMs),
    objects: async (asked) => new Map(asked.map((ms) => [ms, objectsOf(ms)])),
    keys: async (_objects, _order, { from, to }) => {
      statements += 1;
      if (statements > stuckAfter) throw new SearchTooSlow("too slow");
      return hours
        .filter((ms) => ms >= from && ms < to)
        .map((ms) => ({ occurred_at: ms, event_id: `at-${ms}`, received: [Math.floor(receivedMs / WINDOW_MS)] }));
    },
    copies: async (_objects, ids) => {
      if (areCopiesSlow) throw new SearchTooSlow("too slow");
      return hours.map(copyAt).filter(({ event_id }) => ids.includes(event_id));
    },
  };
  const query = { fromMs: hourMs, toMs: hourMs + count * HOUR_MS, order: "oldest", limit: 100 } as const;
  return { reader, query: { ...query, after: firstPlace(query) } };
}

test.each([{ lateAfter: 2 }, { stuckAfter: 2 }])(
  "a page ends with a place to go on from when the time is up, and the pages are the list: %o",
  async (limits) => {
    const first = slowHours(5, limits);
    const page = await readPage(first.reader, first.query, nowMs);
    expect(page.events.map(({ occurred_at }) => occurred_at)).toEqual([hourMs, hourMs + HOUR_MS]);
    expect(page.next).toEqual({ atMs: hourMs + 2 * HOUR_MS, eventId: "" });
    const { reader, query } = slowHours(5, {});
    const rest = await readPage(reader, { ...query, after: page.next ?? query.after }, nowMs);
    expect(rest.events).toHaveLength(3);
    expect(rest.next).toBeUndefined();
  },
);

test("an hour that is not searched in time is said, when a page would begin with it", async () => {
  const { reader, query } = slowHours(3, { stuckAfter: 0 });
  const refused = await readPage(reader, query, nowMs).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HourTooSlow);
  expect(refused).toMatchObject({ hourMs, uncompactedMs: hourMs });
});

const PARQUET = ["parquet"] as const;
test.each([
  { why: "it is compacted", limits: { stuckAfter: 0, kinds: PARQUET }, uncompactedMs: undefined },
  {
    why: "little came late",
    limits: { stuckAfter: 0, kinds: ["lines", ...PARQUET] as const },
    uncompactedMs: undefined,
  },
  {
    why: "much came late",
    limits: {
      stuckAfter: 0,
      kinds: [...PARQUET, ...Array.from({ length: GROUP_OBJECTS_MAX + 1 }, () => "lines" as const)],
    },
    uncompactedMs: hourMs,
  },
  {
    why: "copies may stand in an hour that is not",
    limits: { areCopiesSlow: true, kinds: PARQUET },
    uncompactedMs: hourMs + 3 * HOUR_MS,
  },
])("what is not searched in time is known to be compacted, or not: $why", async ({ limits, uncompactedMs }) => {
  const { reader, query } = slowHours(3, limits);
  const refused = await readPage(reader, query, nowMs).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HourTooSlow);
  expect(refused).toMatchObject({ hourMs, uncompactedMs });
});

test("where hours are not told in time nothing is said of compaction", async () => {
  const { reader, query } = slowHours(3);
  const hours = async () => {
    throw new SearchTooSlow("too slow");
  };
  const refused = await readPage({ ...reader, isLate: false, hours }, query, nowMs).catch((error: unknown) => error);
  expect(refused).toMatchObject({ hourMs, uncompactedMs: undefined });
});

test("a page that found nothing because the time was up is told from one that is empty, or ends early", async () => {
  const late = slowHours(3, { lateAfter: 0 });
  const found = async (reader: PageReader, query: typeof late.query) =>
    foundNothingInTime(await readPage(reader, query, nowMs));
  expect(await found(late.reader, late.query)).toBe(true);
  const early = slowHours(3, { lateAfter: 1 });
  expect(await found(early.reader, early.query)).toBe(false);
  const { reader, query } = slowHours(3);
  expect(await found({ ...reader, isLate: false, hours: async () => [] }, query)).toBe(false);
});

test.each([{ lateAfter: 2 }, { stuckAfter: 2 }])(
  "what is not counted in time is said from its first hour on, and is in no number: %o",
  async (limits) => {
    const { reader, query } = slowHours(5, limits);
    const count = async (objects: readonly ArchivedObject[], { from, to }: Record<"from" | "to", number>) => {
      return (await reader.keys(objects, "oldest", { from, to, at: 0, id: "", limit: 100 })).length;
    };
    const counted = await countEvents(Object.assign(reader, { count }), query, nowMs);
    expect(counted).toEqual({ events: 2, waiting: [hourMs + 2 * HOUR_MS], tooLarge: [] });
  },
);
