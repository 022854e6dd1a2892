import { expect, test } from "vitest";
import { RECENT_REQUESTS_MAX, RecentRequests } from "./recent-requests.ts";

test("as many requests as promised are remembered, and the oldest is forgotten for each one more", () => {
  const requests = new RecentRequests();
  for (let n = 0; n < RECENT_REQUESTS_MAX; n++) requests.add(`${n}`);
  expect([requests.has("0"), requests.has(`${RECENT_REQUESTS_MAX - 1}`), requests.has("x")]).toEqual([
    true,
    true,
    false,
  ]);
  // One that is known already takes no room.
  requests.add("7");
  expect(requests.has("0")).toBe(true);
  requests.add("one more");
  expect([requests.has("0"), requests.has("1"), requests.has("one more")]).toEqual([false, true, true]);
  requests.add("another");
  expect([requests.has("1"), requests.has("2")]).toEqual([false, true]);
});

test("nothing is remembered of what was cleared", () => {
  const requests = new RecentRequests();
  requests.add("a");
  requests.clear();
  expect(requests.has("a")).toBe(false);
});
