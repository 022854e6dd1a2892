import fc from "fast-check";
import { expect, test } from "vitest";
import { countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import type { Report } from "../../shared/report.ts";
import { changeOf } from "./change.ts";
import type { Compared } from "./comparison.ts";
import type { MetricsAnswer } from "./dashboard/data/answers.ts";
import { lineFile } from "./dashboard/figures/line-file.ts";
import { eachFigure, figuresOf } from "./figures.ts";
import type { MetricsReading } from "./metrics.ts";
import { metricsCsv } from "./metrics-csv.ts";
import { parseMetrics } from "./parameters.ts";
import { presentMetrics } from "./present-metrics.ts";
import type { BucketReport } from "./read-range.ts";

const NOW_MS = Date.parse("2026-11-28T05:43:00Z");
/** What JSON has in a page: sums of more than 2^53 lose their last digits there, on the screen as in a file. */
const isRead = ({ payments_amount, refunds_amount, points_used, points_earned }: Report) =>
  [payments_amount, refunds_amount, points_used, points_earned].every((sum) => sum <= Number.MAX_SAFE_INTEGER);
const reports = fc.array(countedEvents(20).map(reportOf).filter(isRead), { minLength: 4, maxLength: 4 });

test("the file that a page makes of an answer is the one that the API would have sent, compared or not", async () => {
  await fc.assert(
    fc.asyncProperty(reports, reports, fc.boolean(), async (shown, bases, isCompared) => {
      const reading = readingOf(shown, isCompared ? bases : undefined);
      const answer = JSON.parse(JSON.stringify(presentMetrics(reading))) as MetricsAnswer;
      const { from, to } = answer;
      const file = lineFile(
        { merchantId: "cafe", currency: "USD", from, to, isCompared: answer.compare !== undefined },
        answer.series[0]?.buckets ?? [],
      );
      const table = metricsCsv(reading, true);
      expect(table.headers["Content-Disposition"]).toContain(`"${file.name}"`);
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.content.arrayBuffer());
      expect(text).toBe(table.text(Number.POSITIVE_INFINITY));
    }),
    { numRuns: 50 },
  );
});

/** Four days, of which the last goes on and is not compared. */
function readingOf(shown: readonly Report[], bases: typeof shown | undefined): MetricsReading {
  const query = { from: "2026-11-25", to: "now", granularity: "1d", ...(bases && { compare: "same_weekday" }) };
  const parsed = parseMetrics(query, "Asia/Tokyo", NOW_MS);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  const { series } = parsed.value;
  const buckets = shown.map((report): BucketReport => ({ report, revision: 0 }));
  const compared = bases?.map((base, at): Compared | null => {
    const [current, figures] = [figuresOf(shown[at] ?? base), figuresOf(base)];
    const change = eachFigure((figure) => changeOf(current[figure], figures[figure]));
    return at === 3 ? null : { spans: [series], current, isPart: false, base: figures, change };
  });
  const [total = { report: reportOf([]), revision: 0 }] = buckets;
  return {
    ...{ merchantId: "cafe", parameters: parsed.value, notices: [], refunds: undefined },
    ...{ asOfMs: NOW_MS, completeThroughMs: NOW_MS, isPartial: false, isRebuilding: false },
    spans: compared && { elapsed: series, bases: [] },
    series: [
      {
        ...{ currency: "USD", total, buckets, parts: undefined },
        comparison: compared && { total: null, buckets: compared, current: total.report, bases: [] },
      },
    ],
  };
}
