import { expect, test } from "vitest";
import { DAY_MS } from "../../shared/window.ts";
import type { TakenDelivery } from "../directory/alert-deliveries.ts";
import { decideRetry, FAILING_MS_MAX, RETRY_DELAYS_MS } from "./retry-schedule.ts";

const NOW_MS = 1_800_000_000_000;
const taken = (attempts: number, failingSince: number | null = null): TakenDelivery => ({
  ...{
    id: "msg_1",
    alertId: "a",
    type: "alert.fired",
    body: "{}",
    attempts,
    dueAt: 0,
    deliveredAt: null,
    failedAt: null,
  },
  ...{ status: null, failure: null, createdAt: 0 },
  receiver: {
    alertId: "a",
    url: "https://example.com/",
    secret: "",
    previousSecret: null,
    previousUntil: null,
    failingSince,
  },
});
const failed = { ok: false, status: 500, failure: "it answered 500" } as const;

test("what arrives is not sent again, and its receiver is well", () => {
  const ended = decideRetry(taken(3, NOW_MS - 1), { ok: true, status: 204 }, 0, NOW_MS);
  expect(ended).toMatchObject({ againMs: null, failingSince: null, disabled: null });
});

test("what does not is tried nine times, over about a day, farther and farther apart", () => {
  for (const random of [0, 0.999]) {
    let [nowMs, attempts] = [NOW_MS, 0];
    const gaps: number[] = [];
    for (let againMs: number | null = NOW_MS; againMs !== null; ) {
      nowMs = againMs;
      attempts += 1;
      againMs = decideRetry(taken(attempts), failed, random, nowMs).againMs;
      if (againMs !== null) gaps.push(againMs - nowMs);
    }
    expect(attempts).toBe(RETRY_DELAYS_MS.length + 1);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect((nowMs - NOW_MS) / DAY_MS).toBeGreaterThan(0.8);
    expect((nowMs - NOW_MS) / DAY_MS).toBeLessThan(1.1);
  }
});

test.each<[string, number | null, number | null, string | null]>([
  ["for the first time", null, 500, null],
  ["for less than five days", NOW_MS - FAILING_MS_MAX + 1, 500, null],
  [
    "for five days",
    NOW_MS - FAILING_MS_MAX,
    500,
    "its webhook has taken nothing for 5 days; the last time it answered 500",
  ],
  ["and says it is gone", null, 410, "its webhook answered 410: it is gone"],
])("a receiver that fails %s", (_, since, status, disabled) => {
  const ended = decideRetry(taken(1, since), { ...failed, status }, 0, NOW_MS);
  expect(ended).toMatchObject({ failingSince: since ?? NOW_MS, disabled });
});
