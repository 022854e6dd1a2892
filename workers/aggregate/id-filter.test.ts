import { expect, test } from "vitest";
import { seededRandom } from "../../scripts/seeded-random.ts";
import { IdFilter } from "./id-filter.ts";

const EVENTS = 100_000;

test("a filter knows every fingerprint that it was given, and of others says in fewer than one of 5,000 cases that they may be there", () => {
  const random = seededRandom("filter");
  const word = () => Math.floor(random() * 2 ** 32);
  const filter = new IdFilter(EVENTS);
  const given = Array.from({ length: EVENTS }, () => [word(), word()] as const);
  for (const [lo, hi] of given) filter.add(lo, hi);
  const restored = new IdFilter(filter.words);
  expect(given.every(([lo, hi]) => restored.mayHave(lo, hi))).toBe(true);
  const strangers = Array.from({ length: EVENTS }, () => [word(), word()] as const);
  expect(strangers.filter(([lo, hi]) => restored.mayHave(lo, hi)).length).toBeLessThan(EVENTS / 5_000);
});
