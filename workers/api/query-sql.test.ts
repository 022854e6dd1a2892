import fc from "fast-check";
import { expect, test } from "vitest";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { DAY_MS } from "../../shared/window.ts";
import { GRANULARITIES } from "./calendar-unit.ts";
import { FIGURES, type Figure } from "./figure-names.ts";
import { staleStatement } from "./history.ts";
import { queryStatement } from "./query-history.ts";
import { FIGURES_BY_VALUE, parseQuery, type QueryParameters } from "./query-parameters.ts";
import { planQuery } from "./query-plan.ts";
import { cutIntoTiers, noCoarserThan } from "./tiers.ts";

const NOW_MS = Date.UTC(2026, 10, 1);
/** What somebody might hope to have executed, or read. */
const HOSTILE = [
  "' OR 1=1 --",
  "x') UNION ALL SELECT * FROM windows --",
  "{merchant:String}",
  "\\'; DROP TABLE windows",
];

const bodies = fc
  .record({
    metrics: fc.subarray([...FIGURES], { minLength: 1 }),
    by: fc.option(fc.constantFrom(...DIMENSIONS), { nil: undefined }),
    clock: fc.subarray(["time", "weekday", "hour", "currency"]),
    granularity: fc.constantFrom(...GRANULARITIES.filter((granularity) => granularity !== "10m")),
    currency: fc.constantFrom(undefined, "JPY", ["JPY", "USD"]),
    tz: fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata"),
    days: fc.integer({ min: 1, max: 80 }),
    values: fc.option(fc.subarray(HOSTILE, { minLength: 1 }), { nil: undefined }),
  })
  .map(({ metrics, by, clock, granularity, currency, tz, days, values }) => {
    const ofValue = metrics.filter((metric: Figure) => by === undefined || FIGURES_BY_VALUE.has(metric));
    return {
      ...{ tz, from: String(NOW_MS - days * DAY_MS), to: "now", metrics: ofValue.length > 0 ? ofValue : ["average"] },
      dimensions: [...clock, ...(by && values === undefined ? [by] : [])],
      ...(clock.includes("time") && { granularity }),
      where: { ...(currency && { currency }), ...(by && values && { [by]: { in: values } }) },
    };
  });

function statementsOf(query: QueryParameters) {
  const plan = planQuery("shop", query);
  const range = { ...plan, spans: [plan], boundsMs: plan.barsMs };
  const cut = { boundsMs: plan.barsMs, rolledUpToMs: NOW_MS - 3 * DAY_MS, keptFromMs: 0, withMonths: false };
  const whole = cutIntoTiers([plan], cut);
  const tiers = plan.coarsest === undefined ? whole : noCoarserThan(plan.coarsest, whole);
  return [queryStatement(plan, range, tiers), staleStatement(range, tiers, 0)].filter((one) => one !== undefined);
}

test("every table of every statement is read as the merchant's alone, and nothing of the caller's stands in the text", () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const parsed = parseQuery(body, "UTC", NOW_MS);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      for (const { query, query_params } of statementsOf(parsed.value)) {
        const tables = [
          ...query.matchAll(
            /\b(?:FROM|JOIN)\s+(?!\()(\S+)(?: AS [rw])?( FINAL\s+WHERE merchant_id = \{merchant:String\}\s)?/g,
          ),
        ];
        expect(tables.length).toBeGreaterThan(0);
        for (const [, table, ofMerchant] of tables) {
          expect(["windows", "roll_ups"]).toContain(table);
          expect(ofMerchant).toBeDefined();
        }
        // Each condition beside it is ANDed to it: an OR stands in brackets of its own.
        const outside = withoutBrackets(query);
        expect(outside).not.toMatch(/\bOR\b/);
        expect(query_params.merchant).toBe("shop");
        for (const text of [...HOSTILE, "JPY", "USD", "Berlin"])
          expect(query).not.toContain(text === "{merchant:String}" ? "'{merchant" : text);
        expect(
          [...query.matchAll(/'([^']*)'/g)].map(([, literal]) => literal).filter((literal) => !isOurs(literal ?? "")),
        ).toEqual([]);
        expect(query).not.toContain(";");
        for (const [, name] of query.matchAll(/\{(\w+):/g)) expect(query_params).toHaveProperty(name ?? "");
      }
    }),
    { numRuns: 300 },
  );
});

/** What stands in no bracket but those of a subquery that reads a table. */
function withoutBrackets(query: string): string {
  let text = query;
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replaceAll(/\((?![^()]*\bFROM\b)[^()]*\)/g, " ");
  }
  return text;
}

const isOurs = (literal: string) => ["UTC", "", "0", "days", "hours", "months"].includes(literal);
