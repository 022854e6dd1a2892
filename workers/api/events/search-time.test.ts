import { expect, test } from "vitest";
import { SEARCH_END_MS_MAX, SEARCH_MS_MAX, SearchAbandoned, SearchTime, SearchTooSlow } from "./search-time.ts";

test("nothing more is begun after a while, and what is under way has until the end", () => {
  let nowMs = 5_000;
  const time = new SearchTime(() => nowMs);
  expect([time.isUp, time.leftMs]).toEqual([false, SEARCH_END_MS_MAX]);
  nowMs += SEARCH_MS_MAX;
  expect([time.isUp, time.leftMs]).toEqual([true, SEARCH_END_MS_MAX - SEARCH_MS_MAX]);
  nowMs = 5_000 + SEARCH_END_MS_MAX;
  expect(() => time.leftMs).toThrow(SearchTooSlow);
});

test("when whoever asked has left nothing is begun any more", () => {
  const left = new AbortController();
  const time = new SearchTime(() => 0, SEARCH_MS_MAX, left.signal);
  expect([time.isUp, time.leftMs]).toEqual([false, SEARCH_END_MS_MAX]);
  left.abort();
  expect(time.isUp).toBe(true);
  expect(() => time.leftMs).toThrow(SearchAbandoned);
});
