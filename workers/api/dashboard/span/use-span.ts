import { useMemo } from "preact/hooks";
import { addDays, dateIn } from "../address/civil-date.ts";
import { type Dates, datesOf, granularityFor } from "../address/span.ts";
import type { View } from "../address/view.ts";
import type { MetricsAnswer, QueryAnswer } from "../data/answers.ts";
import { type Known, type Question, refresh } from "../data/kept-answers.ts";
import { type MetricsWish, metricsQuestion } from "../data/questions.ts";
import { useAnswer } from "../data/use-answer.ts";
import type { Merchant } from "../shell/merchant.ts";

export interface SpanReading {
  readonly today: string;
  readonly dates: Dates;
  readonly wish: MetricsWish;
  readonly question: Question;
  readonly main: Known<MetricsAnswer>;
  /** Whose totals have the breakdowns: of what is compared, and of each base. */
  readonly whole: Known<MetricsAnswer>;
  /** None where one could not be had. */
  readonly bases: readonly MetricsAnswer[] | "asked";
  readonly retry: () => void;
}

const BASES_MAX = 4;

export function useSpan({ id: merchantId, zone }: Merchant, { span, granularity, compare }: View): SpanReading {
  const today = dateIn(zone, Date.now());
  const dates = datesOf(span, today);
  const wish: MetricsWish = {
    merchantId,
    zone,
    from: dates.from,
    // Up to now, where there is no more: what is to come would be drawn as nothing.
    to: dates.last >= today ? "now" : addDays(dates.last, 1),
    granularity: granularityFor(dates, granularity),
    compare,
    // One breakdown in the place of seven in each bucket: they are asked for as totals.
    groupBy: "gender",
  };
  const question = metricsQuestion(wish);
  const main = useAnswer<MetricsAnswer>(question);
  const compared = main.answer?.compare;
  const totalOf = ({ from, to }: { readonly from: string; readonly to: string }, hasAmounts = false) =>
    metricsQuestion({ merchantId, zone, from, to, granularity: "1mo", hasAmounts });
  const spans = compared?.bases ?? [];
  const whole = useAnswer<MetricsAnswer>(main.answer && totalOf(compared?.elapsed ?? wish, true));
  const bases: Known<MetricsAnswer>[] = [];
  // As many hooks each time, however many spans make the base.
  for (let at = 0; at < BASES_MAX; at++) {
    const base = spans[at];
    bases.push(useAnswer(base === undefined ? undefined : totalOf(base)));
  }
  const wanted = bases.slice(0, spans.length);
  const answered = wanted.flatMap(({ answer }) => answer ?? []);
  const areAsked = wanted.some(({ answer, failure }) => answer === undefined && failure === undefined);
  // The same list as long as its answers are the same: what is made of it is not made again.
  const kept = useMemo(
    () => (answered.length === spans.length ? answered : []),
    [spans.length, ...bases.map(({ answer }) => answer)],
  );
  return {
    today,
    dates,
    wish,
    question,
    main,
    whole,
    bases: areAsked ? "asked" : kept,
    retry: () => refresh(question),
  };
}

/** Net sales by weekday and hour of the zone's clock. */
export function useHours({ merchantId, zone, from, to }: MetricsWish, currency: string): Known<QueryAnswer> {
  return useAnswer<QueryAnswer>({
    path: `/v1/merchants/${merchantId}/query`,
    body: { from, to, tz: zone, metrics: ["net"], dimensions: ["weekday", "hour"], where: { currency } },
  });
}
