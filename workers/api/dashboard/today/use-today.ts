import { useEffect, useState } from "preact/hooks";
import { WINDOW_MS, windowStart } from "../../../../shared/window.ts";
import { addDays, type CivilDate, dateIn } from "../address/civil-date.ts";
import type { View } from "../address/view.ts";
import type { Comparison, MetricsAnswer } from "../data/answers.ts";
import type { Known } from "../data/kept-answers.ts";
import { refresh, renew } from "../data/kept-answers.ts";
import { type Live, useLive } from "../data/live.ts";
import { type MetricsWish, metricsQuestion } from "../data/questions.ts";
import { useAnswer } from "../data/use-answer.ts";
import type { Merchant } from "../shell/merchant.ts";

export interface TodayReading {
  readonly wish: MetricsWish;
  readonly day: Known<MetricsAnswer>;
  /** The days that the base is made of, whole, so that it can be seen where the day may go. */
  readonly bases: readonly MetricsAnswer[];
  readonly live: Live;
  readonly retry: () => void;
}

const BASE_DAYS: Readonly<Record<Comparison, readonly number[]>> = {
  previous_period: [1],
  same_weekday: [7],
  four_week_average: [7, 14, 21, 28],
  year_ago: [364],
};
const BASES_MAX = 4;
/** A past day changes by what comes late. */
const BASE_AGE_MS_MAX = 600_000;
/** While the stream tells of what changes, the rest is asked for again when a window ends. */
const LIVE_AGE_MS_MAX = 600_000;

export function useToday(merchant: Merchant, { compare }: View): TodayReading {
  const { id: merchantId, zone } = merchant;
  const tick = useWindowTick();
  const today = dateIn(zone, Math.max(tick, Date.now()));
  const live = useLive(merchantId, zone);
  const wishOf = (date: CivilDate): MetricsWish => ({
    merchantId,
    zone,
    from: date,
    to: addDays(date, 1),
    granularity: "10m",
    // One breakdown in the place of seven in each of 144 buckets.
    groupBy: "gender",
  });
  const wish = { ...wishOf(today), compare };
  const question = metricsQuestion(wish);
  const day = useAnswer<MetricsAnswer>(question, live.state === "live" ? LIVE_AGE_MS_MAX : undefined);
  useEffect(() => {
    if (tick > 0 || live.corrections > 0) renew(question);
  }, [tick, live.corrections]);
  const daysBack = compare === "none" ? [] : BASE_DAYS[compare];
  const bases: Known<MetricsAnswer>[] = [];
  // As many hooks each time, whatever the base.
  for (let at = 0; at < BASES_MAX; at++) {
    const back = daysBack[at];
    bases.push(
      useAnswer(back === undefined ? undefined : metricsQuestion(wishOf(addDays(today, -back))), BASE_AGE_MS_MAX),
    );
  }
  const answered = bases.slice(0, daysBack.length).flatMap(({ answer }) => answer ?? []);
  return {
    wish,
    day,
    bases: answered.length === daysBack.length ? answered : [],
    live,
    retry: () => refresh(question),
  };
}

/** A second is given to the clocks, which differ. */
const AFTER_TICK_MS = 1_000;

/** Changes a moment after each ten minutes of the clock: what is compared goes on by a window then. 0 before the first. */
function useWindowTick(): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const nowMs = Date.now();
    const nextMs = windowStart(nowMs) + WINDOW_MS + AFTER_TICK_MS;
    const timer = setTimeout(() => setTick(Date.now()), nextMs - nowMs);
    return () => clearTimeout(timer);
  }, [tick]);
  return tick;
}
