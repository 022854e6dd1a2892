import { expect, test } from "vitest";
import type { PaymentEvent } from "../data/answers.ts";
import { revisedByLate } from "./late-events.ts";

const END = "2026-11-27T10:10:00+09:00";
const event = (over: Partial<PaymentEvent>) =>
  ({
    type: "payment",
    amount: 500,
    points_earned: 5,
    received_at: "2026-11-27T10:09:00+09:00",
    ...over,
  }) as PaymentEvent;
const LATE = { received_at: "2026-11-27T10:32:00+09:00" };
const EVENTS = [
  event({}),
  event({ received_at: "2026-11-27T10:11:59+09:00" }),
  event({ ...LATE, amount: 1_200 }),
  event({ ...LATE, type: "refund", amount: 200, points_earned: 0 }),
];

test("what a bucket was revised by is what came after its grace", () => {
  const by = (measure: Parameters<typeof revisedByLate>[0]) =>
    revisedByLate(measure, { end: END }, { events: EVENTS, next_cursor: null });
  expect(by("net")).toBe(1_000);
  expect(by("payments")).toBe(1);
  expect(by("refunds")).toBe(200);
  expect(by("points")).toBe(5);
  expect(by("average")).toBeUndefined();
});

test("of the first page of a bucket's events nothing is said", () => {
  expect(revisedByLate("net", { end: END }, { events: EVENTS, next_cursor: "next" })).toBeUndefined();
});
