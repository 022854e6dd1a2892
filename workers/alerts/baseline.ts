import { z } from "zod";
import { completeThrough, DAY_MS, GRACE_MS, WINDOW_MS } from "../../shared/window.ts";
import { nearestWindow } from "../api/calendar.ts";
import { roundedQuotient } from "../api/figures.ts";
import { presentTime } from "../api/present.ts";
import type { HistorySpan } from "../api/tiers.ts";
import { wallClock } from "../api/wall-clock.ts";
import { dayAt, startOfDay } from "../api/zone.ts";
import type { Check } from "./check.ts";
import { LOOK_MS_MIN, type Looked, spreadMs } from "./looks.ts";
import type { BelowBaselineRule } from "./rule.ts";

/**
 * Today so far against the mean of the same weekday of four weeks, by the clock, as `compare=four_week_average` has it (docs/decisions/0040). What a day is compared with is
 * read once, for all of its windows; what comes late for a day of weeks ago changes tomorrow's.
 */

const WEEKS = [1, 2, 3, 4];
/** It ends only so many percent of the base above where it began: a figure at the threshold does not fire again and again. */
export const RESOLVE_MARGIN_PERCENT = 5;
/** Within this after a window has closed, the alerts of all merchants are looked at, one after the other. */
const SPREAD_MS = 300_000;
const WEEK_MS = 7 * DAY_MS;
const LONGEST_DAY_MS = 2 * DAY_MS;

/** A day and what it is compared with. */
export interface ComparedDay extends HistorySpan {
  /** The local date, in days since 1970-01-01. */
  readonly day: number;
  readonly weeks: readonly {
    readonly fromMs: number;
    /** Up to where each of the day's windows, in order, is compared with the week. */
    readonly endsMs: readonly number[];
  }[];
}

/** The day of the last complete window. */
export function comparedDay(zone: string, elapsedMs: number): ComparedDay {
  const day = dayAt(zone, elapsedMs - WINDOW_MS / 2);
  const fromMs = nearestWindow(startOfDay(zone, day));
  const toMs = nearestWindow(startOfDay(zone, day + 1));
  const clock = wallClock(zone, fromMs - WEEKS.length * WEEK_MS - LONGEST_DAY_MS, toMs);
  const endsMs = Array.from({ length: (toMs - fromMs) / WINDOW_MS }, (_, at) => fromMs + (at + 1) * WINDOW_MS);
  return {
    day,
    fromMs,
    toMs,
    weeks: WEEKS.map((weeks) => {
      const earlier = (localMs: number) => nearestWindow(clock.reached(localMs - weeks * WEEK_MS));
      return { fromMs: earlier(day * DAY_MS), endsMs: endsMs.map((endMs) => earlier(clock.shownUntil(endMs))) };
    }),
  };
}

/** What is asked of history: each week's day, in the order of time. */
export function baseSpansOf({ weeks }: ComparedDay): HistorySpan[] {
  return weeks
    .map(({ fromMs, endsMs }) => ({ fromMs, toMs: endsMs.at(-1) ?? fromMs }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .reverse();
}

/** What of a window, or a day, counts here. */
export interface Sold {
  readonly net: bigint;
  readonly payments: number;
}

export const baselineSchema = z.object({
  /** What it is of: another rule, day or zone has another. */
  key: z.string(),
  /** The four weeks' mean by the end of each window of the day. */
  net: z.array(z.string().transform(BigInt)),
  payments: z.array(z.number()),
});
export type Baseline = z.output<typeof baselineSchema>;

export function baselineKey({ currency }: { readonly currency: string | null }, zone: string, day: number): string {
  return `${zone}/${day}/${currency ?? "all"}`;
}

/** Of the windows of the four days, by their starts; those of nothing absent. */
export function baselineOf(key: string, { weeks }: ComparedDay, sold: ReadonlyMap<number, Sold>): Baseline {
  const each = weeks.map(({ fromMs, endsMs }) => {
    let atMs = fromMs;
    let [net, payments] = [0n, 0];
    return endsMs.map((endMs) => {
      for (; atMs < endMs; atMs += WINDOW_MS) {
        const window = sold.get(atMs);
        net += window?.net ?? 0n;
        payments += window?.payments ?? 0;
      }
      return { net, payments };
    });
  });
  const windows = weeks[0]?.endsMs ?? [];
  return {
    key,
    net: windows.map((_, at) =>
      roundedQuotient(
        each.reduce((sum, week) => sum + (week[at]?.net ?? 0n), 0n),
        4n,
      ),
    ),
    payments: windows.map((_, at) => each.reduce((sum, week) => sum + (week[at]?.payments ?? 0), 0) / WEEKS.length),
  };
}

/** As it is stored. */
export function presentBaseline({ key, net, payments }: Baseline): z.input<typeof baselineSchema> {
  return { key, net: net.map(String), payments: [...payments] };
}

export interface BaselineLook {
  readonly alertId: string;
  readonly rule: BelowBaselineRule;
  readonly zone: string;
  readonly currency: string | null;
  readonly firingSinceMs: number | null;
  readonly nowMs: number;
  readonly countedMs: number;
}

/** Up to where today is compared: its windows that are complete. */
export const elapsedOf = ({ countedMs }: Pick<BaselineLook, "countedMs">) => completeThrough(countedMs);

/** When another window will be complete. */
export function nextBaselineLook({ alertId, nowMs, countedMs }: Omit<BaselineLook, "rule" | "zone">): number {
  const closesMs = elapsedOf({ countedMs }) + WINDOW_MS + GRACE_MS + (nowMs - countedMs);
  return Math.max(nowMs + LOOK_MS_MIN, closesMs + spreadMs(alertId, SPREAD_MS));
}

export function judgeBaseline(look: BaselineLook, day: ComparedDay, baseline: Baseline, today: Sold): Looked {
  const { rule, zone, currency, firingSinceMs } = look;
  const nextMs = nextBaselineLook(look);
  const elapsedMs = elapsedOf(look);
  const at = (elapsedMs - day.fromMs) / WINDOW_MS - 1;
  const basePayments = baseline.payments[at] ?? 0;
  const [value, base] =
    rule.figure === "net"
      ? [today.net, baseline.net[at] ?? 0n]
      : [BigInt(today.payments), BigInt(Math.round(basePayments))];
  const looked = (check: Check): Looked => ({ check, nextMs });
  if (base <= 0n && basePayments >= rule.base_payments_min)
    return looked({ outcome: "unknown", reason: "no_baseline" });
  const facts = {
    kind: "below_baseline" as const,
    figure: rule.figure,
    currency,
    value: String(value),
    base: String(base),
    percent: base > 0n ? Number((value * 10_000n) / base) / 100 : 0,
    from: presentTime(day.fromMs, zone),
    to: presentTime(elapsedMs, zone),
  };
  const wasOf = firingSinceMs === null ? undefined : dayAt(zone, completeThrough(firingSinceMs) - WINDOW_MS / 2);
  if (wasOf !== undefined && wasOf < day.day) return looked({ outcome: "quiet", reason: "day_over", facts });
  if (basePayments < rule.base_payments_min) return looked({ outcome: "quiet", reason: "few_payments_yet", facts });
  const percent = rule.percent + (firingSinceMs === null ? 0 : RESOLVE_MARGIN_PERCENT);
  const isBelow = value * 100n < base * BigInt(Math.min(100, percent));
  return looked(
    isBelow
      ? { outcome: "firing", reason: "below_baseline", facts }
      : { outcome: "quiet", reason: firingSinceMs === null ? "within_limit" : "recovered", facts },
  );
}
