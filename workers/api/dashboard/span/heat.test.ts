import { expect, test } from "vitest";
import type { QueryAnswer } from "../data/answers.ts";
import { heatOf } from "./heat.ts";

test("an hour's value is the mean over as many of its weekday as the span has", () => {
  const rows = [
    { currency: "JPY", weekday: 1, hour: 9, net: 300 },
    { currency: "JPY", weekday: 2, hour: 9, net: 300 },
    { currency: "JPY", weekday: 7, hour: 23, net: -50 },
  ];
  // Monday 2 March to Monday 16 March: three Mondays, two of any other day.
  const heat = heatOf({ rows } as unknown as QueryAnswer, { from: "2026-03-02", last: "2026-03-16" });
  expect([heat[0]?.[9], heat[1]?.[9], heat[6]?.[23], heat[3]?.[9]]).toEqual([100, 150, -25, 0]);
});
