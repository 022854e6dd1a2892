import { useMemo, useState } from "preact/hooks";
import { go, linkTo, show, view } from "../address/address.ts";
import { granularitiesFor } from "../address/span.ts";
import { Readout } from "../chart/readout.tsx";
import { TimeChart } from "../chart/time-chart.tsx";
import { ValueTable } from "../chart/value-table.tsx";
import { MEASURES, type MetricsAnswer, type Series } from "../data/answers.ts";
import { useHeld } from "../data/use-held.ts";
import { Comparing } from "../figures/comparing.tsx";
import { FigureCards } from "../figures/figure-cards.tsx";
import { measureText } from "../figures/measure-text.ts";
import { Notices } from "../figures/notices.tsx";
import { RevisionNote } from "../figures/revision-note.tsx";
import { marksOf, useRevisions } from "../figures/revisions.ts";
import { currencyOf, seriesOf } from "../figures/series-of.ts";
import { Take } from "../figures/take.tsx";
import { Choice } from "../shell/choice.tsx";
import { FailurePanel } from "../shell/failure-panel.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { bucketName, dateAndTime, timeIn } from "../text/format.ts";
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
          <SpanFreshness answer={answer} isLoading={main.isLoading} zone={merchant.zone} />
        </div>
        <Comparing
          merchant={merchant}
          currencies={answer?.series.map((one) => one.currency) ?? []}
          currency={currency}
        />
      </div>
      {answer === undefined && main.failure !== undefined && (
        <FailurePanel failure={main.failure} onRetry={reading.retry} />
      )}
      <FigureCards
        total={series?.total}
        isLoading={isWaiting}
        currency={currency}
        measures={MEASURES}
        elapsedTo={elapsed && dateAndTime(elapsed)}
      />
      {answer !== undefined && series !== undefined ? (
        <SpanLinePanel merchant={merchant} reading={reading} answer={answer} series={series} />
      ) : isWaiting ? (
        <div class="panel">
          <div class="chart-waiting" />
        </div>
      ) : null}
      <SpanPanels reading={reading} currency={currency} />
      <Take
        merchant={merchant}
        wish={wish}
        currency={currency}
        asOf={answer?.as_of}
        link={linkTo("span", { ...view.value, span: dates })}
      />
    </>
  );
}

interface SpanLinePanelProps {
  readonly merchant: Merchant;
  readonly reading: SpanReading;
  readonly answer: MetricsAnswer;
  readonly series: Series;
}

function SpanLinePanel({ merchant, reading, answer, series }: SpanLinePanelProps) {
  const { zone } = merchant;
  const { measure } = view.value;
  const { buckets, currency } = series;
  const [pointed, setPointed] = useState<number | null>(null);
  const revisions = useRevisions(`${reading.question.path} ${currency}`, buckets);
  const marks = useMemo(() => marksOf(buckets, revisions), [buckets, revisions]);
  const points = useMemo(() => spanLine(buckets, measure, marks), [buckets, measure, marks]);
  const text = (value: number | null) => measureText(measure, value, currency);
  const nameOf = (at: number) => bucketName(buckets[at]?.start ?? "1970-01-01", answer.granularity);
  const linkOf = (at: number) =>
    linkTo("payments", { currency }, { since: buckets[at]?.start, until: buckets[at]?.end });
  const more =
    marks.unmarked === undefined
      ? []
      : [
          t("notice.revised", {
            count: marks.unmarked.count,
            all: buckets.length,
            time: dateAndTime(timeIn(zone, marks.unmarked.lastMs)),
          }),
        ];
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
              isMarked={points[at]?.isRevised === true}
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
          axisValue={(value) => measureText(measure, value, currency, { compact: true })}
          valueText={(at) =>
            `${nameOf(at)}: ${text(points[at]?.value ?? null)}; ${t("chart.base")} ${text(points[at]?.base ?? null)}`
          }
          onPoint={setPointed}
          onOpen={(at) => go(linkOf(at))}
        />
        <ValueTable label={t(`measure.${measure}`)} points={points} nameOf={nameOf} text={text} linkOf={linkOf} />
        {series.total.payments.count === 0 && <p class="empty">{t("span.empty")}</p>}
      </section>
      <Notices notices={answer.notices} more={more} />
    </>
  );
}
