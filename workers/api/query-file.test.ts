import fc from "fast-check";
import { expect, test } from "vitest";
import type { QueryAnswer } from "./dashboard/data/answers.ts";
import { type Exploration, explorationOf } from "./dashboard/explore/exploration.ts";
import { resultFile } from "./dashboard/explore/result-file.ts";
import { FIGURES, type Figure } from "./figure-names.ts";
import { presentQuery } from "./present-query.ts";
import type { QueryReading } from "./query.ts";
import { queryCsv } from "./query-csv.ts";
import { parseQuery } from "./query-parameters.ts";
import type { QueryRow } from "./query-rows.ts";

const NOW_MS = Date.parse("2026-11-28T05:43:00Z");
const figure = fc.oneof(fc.constant(null), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }));

test.for([
  { metrics: "net,payments.count", by: "time" },
  { metrics: "average,payments.amount,payments.count", by: "time,weekday,hour", and_by: "device" },
  { metrics: "customers,p50", by: "" },
])("the file that a page makes of $metrics by $by is the one that the API would have sent", async (own) => {
  const exploration = explorationOf(own as never);
  const values = fc.array(fc.record({ value: fc.string(), ...figures(exploration) }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, async (drawn) => {
      const reading = readingOf(exploration, drawn);
      const answer = JSON.parse(JSON.stringify(presentQuery(reading))) as QueryAnswer;
      const file = resultFile("cafe", answer, exploration, answer.rows);
      const table = queryCsv(reading, true);
      expect(table.headers["Content-Disposition"]).toContain(`"${file.name}"`);
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.content.arrayBuffer());
      expect(text).toBe(table.text(Number.POSITIVE_INFINITY));
    }),
    { numRuns: 50 },
  );
});

const figures = ({ metrics }: Exploration) => Object.fromEntries(metrics.map((name) => [name, figure]));

type DrawnRow = { readonly value: string } & Partial<Record<Figure, number | null>>;

function readingOf({ metrics, clock, breakdown }: Exploration, drawn: readonly DrawnRow[]): QueryReading {
  const dimensions = [...clock, ...(breakdown === undefined ? [] : [breakdown])];
  const parsed = parseQuery({ from: "2026-11-25", to: "now", metrics, dimensions }, "Asia/Tokyo", NOW_MS);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  const { buckets = [] } = parsed.value;
  const rows = drawn.map(
    ({ value, ...row }, at): QueryRow => ({
      ...{
        currency: "USD",
        bucketMs: buckets[at % Math.max(buckets.length, 1)]?.startMs ?? 0,
        weekday: 1 + at,
        hour: at,
      },
      ...{ part: breakdown && "value", value: breakdown === undefined ? null : value, revision: at },
      figures: new Map(FIGURES.filter((name) => metrics.includes(name)).map((name) => [name, row[name] ?? null])),
    }),
  );
  return {
    ...{ merchantId: "cafe", parameters: parsed.value, notices: [], rows, rowsFound: rows.length, hasOther: false },
    ...{ asOfMs: NOW_MS, completeThroughMs: NOW_MS, isPartial: false, isRebuilding: false },
    cost: { rowsRead: 0, bytesRead: 0, elapsedMs: 0, hotWindows: 0 },
  };
}
