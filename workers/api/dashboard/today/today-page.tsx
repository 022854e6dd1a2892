import { useMemo, useState } from "preact/hooks";
import { go, linkTo, show, view } from "../address/address.ts";
import { Readout } from "../chart/readout.tsx";
import { TimeChart } from "../chart/time-chart.tsx";
import { ValueTable } from "../chart/value-table.tsx";
import { extentOf } from "../chart/zoom.ts";
import { type Bucket, MEASURE, MEASURES, type MetricsAnswer } from "../data/answers.ts";
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
import { InTurn } from "../shell/in-turn.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { clockTime, longDate } from "../text/format.ts";
import { t } from "../text/text.ts";
import { comeWindows, dayLine, quietOf } from "./day-line.ts";
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
  const marks = useMemo(() => marksOf(series?.buckets ?? [], revisions), [series, revisions]);
  const lines = useMemo(() => {
    const given = {
      buckets: series?.buckets ?? [],
      currency,
      windows: live.windows,
      bases: withSeries(bases, currency),
      asOfMs,
      isMarked: marks.isMarked,
    };
    return {
      shown: dayLine({ ...given, measure, isRunning: line === "running" }),
      payments: dayLine({ ...given, measure: "payments", isRunning: false }),
    };
  }, [series, currency, live.windows, bases, measure, line, asOfMs, marks]);
  const startMs = Date.parse(series?.buckets[0]?.start ?? "");
  const all = useMemo(() => extentOf(lines.shown, startMs), [lines.shown, startMs]);
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
          <h1>{answer === undefined ? t("today.title") : longDate(wish.from)}</h1>
          {(answer !== undefined || isWaiting) && (
            <Freshness live={live.state} asOf={asOf} completeThrough={answer?.complete_through} zone={merchant.zone} />
          )}
        </div>
        <Comparing
          merchant={merchant}
          currencies={answer?.series.map((one) => one.currency) ?? []}
          currency={currency}
        />
      </div>
      {day.failure !== undefined && <FailurePanel failure={day.failure} shownAsOf={answer && asOf} onRetry={retry} />}
      <FigureCards
        total={total}
        isLoading={isWaiting}
        currency={currency}
        measures={MEASURES}
        elapsedTo={elapsed && clockTime(elapsed)}
        isElapsedShort
        isGoingOn
        hint={quiet && t("today.quiet", { minutes: quiet.minutes, count: quiet.expected })}
      />
      {(series !== undefined || isWaiting) && (
        <section class="panel" aria-labelledby="today-line">
          <div class="panel-head">
            <h2 id="today-line">{t(`measure.${measure}`)}</h2>
            {MEASURE[measure].adds && (
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
            )}
          </div>
          {series === undefined ? (
            isWaiting && <div class="chart-waiting" />
          ) : (
            <InTurn place={<div class="chart-waiting" />}>
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
                    isLookedInto
                    measure={measure}
                    currency={currency}
                    merchant={merchant}
                  />
                )}
              />
              <TimeChart
                label={t("today.line", { measure: t(`measure.${measure}`) })}
                zone={merchant.zone}
                points={lines.shown}
                all={all}
                axisValue={(value) => measureText(measure, value, currency, { compact: true })}
                valueText={(at) => [windowName(series.buckets[at]), text(lines.shown[at]?.value ?? null)].join(": ")}
                onPoint={setPointed}
                onOpen={(at) => go(linkOf(at))}
              />
              <ValueTable
                label={t(`measure.${measure}`)}
                points={lines.shown}
                all={all}
                nameOf={(at) => windowName(series.buckets[at])}
                text={text}
                linkOf={linkOf}
              />
              {isEmpty && <p class="empty">{t("today.empty")}</p>}
            </InTurn>
          )}
        </section>
      )}
      <Notices notices={answer?.notices ?? []} more={revisedNotice(marks, merchant.zone)} />
      {/* Not before there is what stands above it, which would move it. */}
      {answer !== undefined && (
        <Take
          merchant={merchant}
          span={{
            ...{ merchantId: merchant.id, currency, from: answer.from, to: answer.to },
            isCompared: answer.compare !== undefined,
          }}
          buckets={comeWindows({ buckets: series?.buckets ?? [], currency, windows: live.windows, asOfMs })}
          points={lines.shown}
          all={all}
          asOf={asOf}
          path={linkTo("today", { merchant: merchant.id })}
        />
      )}
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
