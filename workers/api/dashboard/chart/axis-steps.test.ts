import { expect, test } from "vitest";
import { timeSteps, VALUE_STEPS } from "./axis-steps.ts";

const DAY_MS = 86_400_000;

test("days have no hours between their labels, on days of 23 hours neither, and months no days", () => {
  expect(timeSteps([0, DAY_MS])[0]).toBe(86_400);
  expect(timeSteps([0, DAY_MS - 3_600_000])[0]).toBe(86_400);
  expect(timeSteps([0, 28 * DAY_MS])[0]).toBe(30 * 86_400);
  expect(timeSteps([0, 600_000])[0]).toBe(600);
});

test("values are labelled in whole steps, one above the other", () => {
  expect(VALUE_STEPS.every(Number.isInteger)).toBe(true);
  expect([...VALUE_STEPS].sort((a, b) => a - b)).toEqual(VALUE_STEPS);
});
