import { expect, test } from "vitest";
import { figuresOf, n, within } from "./item.ts";

test.each([
  [0, "0"],
  [0.5, "0.5"],
  [1 / 3, "0.3333"],
  [0.00012346, "123.5e-6"],
  [999.96, "1000"],
  [1_234.4, "1,234"],
  [9_999_999, "9,999,999"],
  [10_000_000, "10e6"],
  [347_222_222, "347.2e6"],
  [30e9, "30e9"],
  [1e12, "1e12"],
  [Number.POSITIVE_INFINITY, "infinite"],
])("%d is written %s", (value, text) => {
  expect(n(value)).toBe(text);
});

test("a figure at its limit keeps it, one above is broken and says what mends it", () => {
  const limit = { of: "a queue", source: "its page" };
  const figure = (value: number) => figuresOf("log")("messages", value, "messages/s", String(value));
  expect(within(figure(5), 5, limit, "fewer")).toMatchObject({
    limit: 5,
    limit_of: "a queue: its page",
    broken: false,
  });
  expect(within(figure(5), 5, limit, "fewer")).not.toHaveProperty("mend");
  expect(within(figure(6), 5, limit, "fewer")).toMatchObject({ broken: true, mend: "fewer" });
});
