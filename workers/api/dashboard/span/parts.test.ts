import { expect, test } from "vitest";
import type { MetricsAnswer } from "../data/answers.ts";
import { partsOf } from "./parts.ts";

const cell = (amount: number) => ({ count: amount === 0 ? 0 : 1, amount });

function answer(values: Readonly<Record<string, number>>, unspecified = 0): MetricsAnswer {
  const device = {
    values: Object.entries(values).map(([value, amount]) => ({ value, ...cell(amount) })),
    other: cell(0),
    unspecified: cell(unspecified),
  };
  return { series: [{ currency: "JPY", total: { breakdowns: { device } } }] } as unknown as MetricsAnswer;
}

const shown = (...given: Parameters<typeof partsOf>) =>
  partsOf(...given).map(({ part, value, share, change }) => [part === "value" ? value : part, share, change?.ratio]);

test("shares are of all parts, the unnamed included, and what is nothing is left out", () => {
  expect(shown("device", "JPY", answer({ ios: 60, pos: 20 }, 20), [])).toEqual([
    ["ios", 0.6, undefined],
    ["pos", 0.2, undefined],
    ["unspecified", 0.2, undefined],
  ]);
  expect(partsOf("device", "EUR", answer({ ios: 60 }), [])).toEqual([]);
});

test("a change is against the mean of all bases, one without the value or the currency counting as nothing", () => {
  const bases = [answer({ ios: 80 }), answer({}), { series: [] } as unknown as MetricsAnswer, answer({ ios: 80 })];
  expect(shown("device", "JPY", answer({ ios: 60, web: 40 }), bases)).toEqual([
    ["ios", 0.6, 0.5],
    ["web", 0.4, "new"],
  ]);
});
