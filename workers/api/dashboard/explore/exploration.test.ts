import { expect, test } from "vitest";
import { FIGURES as API_FIGURES, MONEY_FIGURES } from "../../figure-names.ts";
import { FIGURES_BY_VALUE as API_FIGURES_BY_VALUE, querySchema } from "../../query-parameters.ts";
import {
  bodyOf,
  type Exploration,
  explorationOf,
  FIGURE_NAMES,
  FIGURES,
  FIGURES_BY_VALUE,
  fieldOf,
  ownOf,
} from "./exploration.ts";

const EXPLORATION: Exploration = {
  metrics: ["payments.count", "average"],
  clock: ["weekday", "hour"],
  breakdown: "payment_method",
  filter: { dimension: "payment_method", keeps: false, values: ["card", "points: own"] },
  order: "-average",
  limit: 50,
  as: "table",
};
const ASKED = { from: "2026-11-01", to: "now", zone: "Asia/Tokyo", granularity: "1d", currency: "JPY" } as const;
const addressOf = (exploration: Exploration) =>
  Object.fromEntries(new URLSearchParams(JSON.parse(JSON.stringify(ownOf(exploration)))));

test("an address reproduces an exploration", () => {
  expect(explorationOf(addressOf(EXPLORATION))).toEqual(EXPLORATION);
  const plain = explorationOf({});
  expect(explorationOf(addressOf(plain))).toEqual(plain);
  const without = { ...plain, clock: [], metrics: [] };
  expect(explorationOf(addressOf(without))).toEqual(without);
});

test("what is asked for is a query by the API's own schema", () => {
  for (const exploration of [EXPLORATION, explorationOf({})]) {
    expect(querySchema.safeParse(bodyOf(exploration, ASKED)).error).toBeUndefined();
  }
  expect(bodyOf(EXPLORATION, ASKED)).toMatchObject({
    where: { currency: "JPY", payment_method: { not_in: ["card", "points: own"] } },
    order: [{ by: "average", direction: "desc" }],
  });
});

test("the form has each of the API's figures, and knows which are money, and which are known by value", () => {
  expect(FIGURES_BY_VALUE).toEqual(API_FIGURES_BY_VALUE);
  expect([...FIGURE_NAMES].sort()).toEqual([...API_FIGURES].sort());
  expect(new Set(FIGURE_NAMES.filter((name) => FIGURES[name] === "money"))).toEqual(MONEY_FIGURES);
});

test("an error of the API is said at the field it is about", () => {
  expect(fieldOf("metrics.1")).toBe("metrics");
  expect(fieldOf("where.currency")).toBe("currency");
  expect(fieldOf("where.payment_method.in")).toBe("filter");
  expect(fieldOf("order.0.by")).toBe("order");
  expect(fieldOf("to")).toBe("span");
  expect(fieldOf("body")).toBeUndefined();
  expect(fieldOf(undefined)).toBeUndefined();
});
