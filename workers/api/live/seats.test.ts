import { expect, test } from "vitest";
import { SEAT_SILENT_MS_MAX, Seats } from "./seats.ts";

test("there are so many places; who leaves makes room, and so does who was not heard of for long", () => {
  const seats = new Seats(2);
  const [a, b, c] = [{}, {}, {}];
  expect([seats.take(a, 0), seats.take(b, 0), seats.take(c, 0)]).toEqual([true, true, false]);
  seats.leave(a);
  expect(seats.take(c, 0)).toBe(true);
  seats.keep(c, SEAT_SILENT_MS_MAX);
  expect(seats.take(a, SEAT_SILENT_MS_MAX)).toBe(false);
  expect(seats.take(a, SEAT_SILENT_MS_MAX + 1)).toBe(true);
  seats.keep(b, SEAT_SILENT_MS_MAX + 1);
  expect(seats.taken).toBe(2);
});

test("who has a quarter of the places gets none of the last quarter, which others find", () => {
  const seats = new Seats(8);
  const takes = (owner: string) => seats.take({}, 0, owner);
  expect(Array.from({ length: 7 }, () => takes("many"))).toEqual([true, true, true, true, true, true, false]);
  expect([takes("few"), takes("many"), takes("few"), takes("few")]).toEqual([true, false, true, false]);
  seats.clear();
  expect(takes("many")).toBe(true);
});
