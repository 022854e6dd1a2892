import { expect, test } from "vitest";
import { cursorAt, parseEvents } from "./parameters.ts";

const NOW_MS = Date.UTC(2031, 2, 5, 12);
const parsed = (query: Readonly<Record<string, string>>, merchant = "shop", nowMs = NOW_MS) =>
  parseEvents(merchant, query, "Asia/Tokyo", nowMs);

function acceptedOf(query: Readonly<Record<string, string>>, nowMs = NOW_MS) {
  const parameters = parsed(query, "shop", nowMs);
  if (!parameters.ok) throw new Error(parameters.error.code);
  return parameters.value;
}

test("the newest of today come first, unless it is said otherwise", () => {
  const { query, zone } = acceptedOf({});
  expect(zone).toBe("Asia/Tokyo");
  expect(query).toEqual({
    fromMs: Date.UTC(2031, 2, 4, 15),
    toMs: NOW_MS,
    order: "newest",
    limit: 100,
    after: { atMs: NOW_MS, eventId: "" },
  });
  expect(acceptedOf({ order: "oldest" }).query.after).toEqual({ atMs: Date.UTC(2031, 2, 4, 15), eventId: "" });
});

test("a cursor keeps the span of the first page, however late the next one is asked for, and goes on after its place", () => {
  const first = acceptedOf({ type: "payment" });
  const cursor = cursorAt(first, { atMs: NOW_MS - 5, eventId: "a:1" });
  const next = acceptedOf({ type: "payment", cursor, limit: "7" }, NOW_MS + 3_600_000);
  expect(next.query).toEqual({ ...first.query, limit: 7, after: { atMs: NOW_MS - 5, eventId: "a:1" } });
});

test("a cursor of another list, or of another merchant, is refused", () => {
  const cursor = cursorAt(acceptedOf({ type: "payment" }), { atMs: NOW_MS, eventId: "" });
  for (const query of [
    { cursor },
    { cursor, type: "payment", gender: "female" },
    { cursor, type: "payment", tz: "UTC" },
  ]) {
    expect(parsed(query)).toMatchObject({ ok: false, error: { code: "cursor_of_another_list" } });
  }
  expect(parsed({ cursor, type: "payment" }, "another")).toMatchObject({ ok: false });
  expect(parsed({ cursor: cursor.slice(0, -3) })).toMatchObject({ ok: false, error: { code: "invalid_cursor" } });
});
