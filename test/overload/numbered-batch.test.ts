import { expect, test } from "vitest";
import { NumberedBatch } from "./numbered-batch.ts";

test("batches of other numbers have other ids and the same payments, and add up to what they say", () => {
  const batch = new NumberedBatch({ name: "n", merchant: "shop", events: 12, occurredAtMs: 5 });
  const eventsOf = (number: number) =>
    batch
      .body(number)
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const [first, second] = [eventsOf(1), eventsOf(987_654_321)];
  expect(new Set([...first, ...second].map(({ event_id }) => event_id)).size).toBe(24);
  expect(second[11]).toEqual({ ...first[11], event_id: "n-11-987654321" });
  expect(first.reduce((sum, { amount }) => sum + amount, 0)).toBe(batch.amount);
});
