import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import type { ArchivedObject } from "../../aggregate/archived-hours.ts";
import { type ArchivedCopy, HOUR_LINES_BYTES_MAX, HourTooLarge, LINES_BYTES_MAX } from "./archive-reader.ts";
import { firstPlace, type PageReader, readPage } from "./page.ts";

const hourMs = Date.UTC(2026, 10, 3, 12);
const nowMs = hourMs + 10 * DAY_MS;
const span = { fromMs: hourMs, toMs: hourMs + HOUR_MS };

/** An hour of objects, each with some events, and one that stands in all of them. */
function hourOfObjects(count: number, bytes: number) {
  const copyOf = (event_id: string, at: number, received_at: number) =>
    ({ event_id, occurred_at: hourMs + at, received_at, batch: "b", n: 0, matches: 1 }) as ArchivedCopy;
  const objects = Array.from({ length: count }, (_, n) => ({
    object: { key: `object-${n}`, size: bytes, hourMs, kind: "lines" } satisfies ArchivedObject,
    copies: [
      ...[1, 2, 3].map((k) => copyOf(`own-${n}-${k}`, k * 1_000 + n, hourMs + 5)),
      copyOf("everywhere", 2_500, hourMs + n * WINDOW_MS),
    ],
  }));
  const asked: string[][] = [];
  const copiesIn = (some: readonly ArchivedObject[]) =>
    objects.filter(({ object }) => some.some(({ key }) => key === object.key)).flatMap(({ copies }) => copies);
  const reader: PageReader = {
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
  expect(refused).toMatchObject({ hourMs, bytes: 5 * LINES_BYTES_MAX });
  expect(asked).toEqual([]);
});
