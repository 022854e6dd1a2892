import { useMemo, useState } from "preact/hooks";
import { go, linkTo, show, view } from "../address/address.ts";
import { Readout } from "../chart/readout.tsx";
import { TimeChart } from "../chart/time-chart.tsx";
import { ValueTable } from "../chart/value-table.tsx";
import { type Bucket, MEASURES, type MetricsAnswer } from "../data/answers.ts";
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
import { clockTime, longDate } from "../text/format.ts";
import { t } from "../text/text.ts";
import { dayLine, quietOf } from "./day-line.ts";
import { Freshness } from "./freshness.tsx";
import { useToday } from "./use-today.ts";

/** How today goes, as it goes. */
export function TodayPage({ merchant }: { readonly merchant: Merchant }) {
  const { measure, line } = view.value;
  const { wish, day, bases, live, retry } = useToday(merchant, view.value);
  const [pointed, setPointed] = useState<number | null>(null);
  const answer = useHeld(day.answer, `${wish.from} ${wish.zone}`);
  const currency = currencyOf(answer, view.value.currency, merchant.homeCurrency);
  const series = seriesOf(answer, currency);
  const told =
    live.today?.start === answer?.from ? live.today?.reports.find((one) => one.currency === currency) : undefined;
  const asOf = live.asOf !== undefined && answer !== undefined && live.asOf > answer.as_of ? live.asOf : answer?.as_of;
  const asOfMs = asOf === undefined ? 0 : Date.parse(asOf);
  const revisions = useRevisions(`${wish.from} ${merchant.zone} ${currency}`, series?.buckets);
  const lines = useMemo(() => {
    const given = {
      buckets: series?.buckets ?? [],
      currency,
      windows: live.windows,
      bases: withSeries(bases, currency),
      asOfMs,
      isMarked: marksOf(series?.buckets ?? [], revisions).isMarked,
    };
    return {
      shown: dayLine({ ...given, measure, isRunning: line === "running" }),
      payments: dayLine({ ...given, measure: "payments", isRunning: false }),
    };
  }, [series, currency, live.windows, bases, measure, line, asOfMs, revisions]);
  const quiet = quietOf(lines.payments);
  const total =
    told !== undefined && series !== undefined && told.revision >= series.total.revision
      ? { ...series.total, ...told }
      : series?.total;
  const isEmpty = total?.payments.count === 0 && total.refunds.count === 0;
  const text = (value: number | null) => measureText(measure, value, currency);
  const linkOf = (at: number) => {
    const { start, end } = series?.buckets[at] ?? {};
    return linkTo("payments", { span: "today", currency }, { since: start, until: end });
  };
  const elapsed = answer?.compare?.elapsed.to;
  const isWaiting = answer === undefined && day.failure === undefined;

  return (
    <>
      <div class="page-head">
        <div>
          <h1>{answer === undefined ? t("today.title") : longDate(answer.from)}</h1>
          <Freshness live={live.state} asOf={asOf} completeThrough={answer?.complete_through} zone={merchant.zone} />
        </div>
        <Comparing
          merchant={merchant}
          currencies={answer?.series.map((one) => one.currency) ?? []}
          currency={currency}
        />
      </div>
      {answer === undefined && day.failure !== undefined && <FailurePanel failure={day.failure} onRetry={retry} />}
      <FigureCards
        total={total}
        isLoading={isWaiting}
        currency={currency}
        measures={MEASURES}
        elapsedTo={elapsed && clockTime(elapsed)}
      />
      {quiet !== undefined && (
        <p class="hint" role="status">
          {t("today.quiet", { minutes: quiet.minutes, count: quiet.expected })}
        </p>
      )}
      <section class="panel" aria-labelledby="today-line">
        <div class="panel-head">
          <h2 id="today-line">{t(`measure.${measure}`)}</h2>
          <Choice
            label={t("today.line_kind")}
            isLabelHidden
            value={line}
            options={[
              ["running", t("today.running")],
              ["each", t("today.each")],
            ]}
            onChange={(chosen) => show({ line: chosen })}
          />
        </div>
        {series === undefined ? (
          isWaiting && <div class="chart-waiting" />
        ) : (
          <>
            <Readout
              label={t(`measure.${measure}`)}
              points={lines.shown}
              at={pointed}
              nameOf={(at) => windowName(series.buckets[at])}
              text={text}
              linkOf={linkOf}
              note={(at) => (
                <RevisionNote
                  bucket={series.buckets[at]}
                  revisions={revisions}
                  isMarked={lines.shown[at]?.isRevised === true}
                  measure={measure}
                  currency={currency}
                  merchant={merchant}
                />
              )}
            />
            <TimeChart
              label={t("today.line", { measure: t(`measure.${measure}`) })}
              zone={merchant.zone}
              startMs={Date.parse(series.buckets[0]?.start ?? "")}
              points={lines.shown}
              axisValue={(value) => measureText(measure, value, currency, { compact: true })}
              valueText={(at) => [windowName(series.buckets[at]), text(lines.shown[at]?.value ?? null)].join(": ")}
              onPoint={setPointed}
              onOpen={(at) => go(linkOf(at))}
            />
            <ValueTable
              label={t(`measure.${measure}`)}
              points={lines.shown}
              nameOf={(at) => windowName(series.buckets[at])}
              text={text}
              linkOf={linkOf}
            />
            {isEmpty && <p class="empty">{t("today.empty")}</p>}
          </>
        )}
      </section>
      <Notices notices={answer?.notices ?? []} />
      <Take merchant={merchant} wish={wish} currency={currency} asOf={asOf} />
    </>
  );
}

/** The base's days; none where none of them has anything of the currency. */
function withSeries(bases: readonly MetricsAnswer[], currency: string): (readonly Bucket[])[] {
  const days = bases.map((base) => seriesOf(base, currency)?.buckets ?? []);
  return days.some((buckets) => buckets.length > 0) ? days : [];
}

const windowName = (bucket: { readonly start: string; readonly end: string } | undefined) =>
  bucket === undefined ? "" : `${bucket.start.slice(11, 16)}–${bucket.end.slice(11, 16)}`;
