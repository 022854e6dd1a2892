import { useMemo, useState } from "preact/hooks";
import { go, linkTo, show, view } from "../address/address.ts";
import { granularitiesFor } from "../address/span.ts";
import { Readout } from "../chart/readout.tsx";
import { TimeChart } from "../chart/time-chart.tsx";
import { ValueTable } from "../chart/value-table.tsx";
import { type Extent, extentOf } from "../chart/zoom.ts";
import { type Bucket, MEASURES, type MetricsAnswer, type Series } from "../data/answers.ts";
import { useHeld } from "../data/use-held.ts";
import { Comparing } from "../figures/comparing.tsx";
import { FigureCards } from "../figures/figure-cards.tsx";
import { measureText } from "../figures/measure-text.ts";
import { Notices } from "../figures/notices.tsx";
import { RevisionNote, revisedNotice } from "../figures/revision-note.tsx";
import { marksOf, useRevisions } from "../figures/revisions.ts";
import { currencyOf, seriesOf } from "../figures/series-of.ts";
import { Take } from "../figures/take.tsx";
import { Choice } from "../shell/choice.tsx";
import { FailurePanel } from "../shell/failure-panel.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { bucketNameAmong, dateAndTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import { SpanFreshness } from "./span-freshness.tsx";
import { spanLine } from "./span-line.ts";
import { SpanPanels } from "./span-panels.tsx";
import { SpanPicker } from "./span-picker.tsx";
import { type SpanReading, useSpan } from "./use-span.ts";

/** Any span of time: its figures, its line, and what it is made of. */
export function SpanPage({ merchant }: { readonly merchant: Merchant }) {
  const reading = useSpan(merchant, view.value);
  const { dates, today, wish, main } = reading;
  const answer = useHeld(main.answer, `${wish.from} ${wish.to} ${wish.granularity} ${wish.zone}`);
  const currency = currencyOf(answer, view.value.currency, merchant.homeCurrency);
  const series = seriesOf(answer, currency);
  const buckets = series?.buckets ?? NONE;
  const places = useMemo(() => buckets.map(({ start }) => ({ atMs: Date.parse(start) })), [buckets]);
  const all = useMemo(() => extentOf(places), [places]);
  const elapsed = answer?.compare?.elapsed.to;
  const isWaiting = answer === undefined && main.failure === undefined;
  return (
    <>
      <div class="page-head">
        <div>
          <h1 class="visually-hidden">{t("span.title")}</h1>
          <div class="span-choice">
            <SpanPicker dates={dates} today={today} />
            <Choice
              label={t("granularity.label")}
              isLabelHidden
              value={wish.granularity}
              options={granularitiesFor(dates).map((name) => [name, t(`granularity.${name}`)] as const)}
              onChange={(granularity) => show({ granularity })}
            />
          </div>
          {(answer !== undefined || isWaiting) && (
            <SpanFreshness answer={answer} isLoading={main.isLoading} zone={merchant.zone} />
          )}
        </div>
        <Comparing
          merchant={merchant}
          currencies={answer?.series.map((one) => one.currency) ?? []}
          currency={currency}
        />
      </div>
      {main.failure !== undefined && (
        <FailurePanel failure={main.failure} shownAsOf={answer?.as_of} onRetry={reading.retry} />
      )}
      <FigureCards
        total={series?.total}
        isLoading={isWaiting}
        currency={currency}
        measures={MEASURES}
        elapsedTo={elapsed && dateAndTime(elapsed)}
        isGoingOn={wish.to === "now"}
      />
      {answer !== undefined && series !== undefined ? (
        <SpanLinePanel merchant={merchant} reading={reading} answer={answer} series={series} all={all} />
      ) : isWaiting ? (
        <div class="panel">
          <div class="chart-waiting" />
        </div>
      ) : null}
      {answer !== undefined && (
        <>
          {hasPayments(series?.total) && <SpanPanels reading={reading} currency={currency} />}
          <Take
            merchant={merchant}
            span={{
              ...{ merchantId: merchant.id, currency, from: answer.from, to: answer.to },
              isCompared: answer.compare !== undefined,
            }}
            buckets={buckets}
            points={places}
            all={all}
            asOf={answer.as_of}
            path={linkTo("span", { span: dates, merchant: merchant.id })}
          />
        </>
      )}
    </>
  );
}

const NONE: readonly Bucket[] = [];

/** Whether there is something that panels are made of, in the span or in its base: of nothing there would be nine times nothing. */
function hasPayments(total: Series["total"] | undefined): boolean {
  const has = ({ payments, refunds }: Pick<Series["total"], "payments" | "refunds">) =>
    payments.count !== 0 || refunds.count !== 0;
  return total !== undefined && (has(total) || (total.comparison != null && has(total.comparison.base)));
}

interface SpanLinePanelProps {
  readonly merchant: Merchant;
  readonly reading: SpanReading;
  readonly answer: MetricsAnswer;
  readonly series: Series;
  readonly all: Extent;
}

function SpanLinePanel({ merchant, reading, answer, series, all }: SpanLinePanelProps) {
  const { zone } = merchant;
  const { measure } = view.value;
  const { buckets, currency } = series;
  const [pointed, setPointed] = useState<number | null>(null);
  const revisions = useRevisions(`${reading.question.path} ${currency}`, buckets);
  const marks = useMemo(() => marksOf(buckets, revisions), [buckets, revisions]);
  const points = useMemo(() => spanLine(buckets, measure, marks), [buckets, measure, marks]);
  const text = (value: number | null) => measureText(measure, value, currency);
  const labels = useMemo(() => buckets.map(({ label }) => label), [buckets]);
  const nameOf = (at: number) => bucketNameAmong(labels, at, answer.granularity);
  const linkOf = (at: number) =>
    linkTo("payments", { currency }, { since: buckets[at]?.start, until: buckets[at]?.end });
  return (
    <>
      <section class="panel" aria-labelledby="span-line">
        <div class="panel-head">
          <h2 id="span-line">{t(`measure.${measure}`)}</h2>
        </div>
        <Readout
          label={t(`measure.${measure}`)}
          points={points}
          at={pointed}
          nameOf={nameOf}
          text={text}
          linkOf={linkOf}
          note={(at) => (
            <RevisionNote
              bucket={buckets[at]}
              revisions={revisions}
              isLookedInto={points[at]?.isRevised === true}
              measure={measure}
              currency={currency}
              merchant={merchant}
            />
          )}
        />
        <TimeChart
          label={t(`measure.${measure}`)}
          zone={zone}
          points={points}
          all={all}
          axisValue={(value) => measureText(measure, value, currency, { compact: true })}
          valueText={(at) =>
            `${nameOf(at)}: ${text(points[at]?.value ?? null)}; ${t("chart.base")} ${text(points[at]?.base ?? null)}`
          }
          onPoint={setPointed}
          onOpen={(at) => go(linkOf(at))}
        />
        <ValueTable
          label={t(`measure.${measure}`)}
          points={points}
          all={all}
          nameOf={nameOf}
          text={text}
          linkOf={linkOf}
        />
        {series.total.payments.count === 0 && <p class="empty">{t("span.empty")}</p>}
      </section>
      <Notices notices={answer.notices} more={revisedNotice(marks, zone)} />
    </>
  );
}
