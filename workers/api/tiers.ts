import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";

/** `[fromMs, toMs)`, aligned to windows. */
export interface HistorySpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What history is kept in, coarsest first: rows of a UTC month, a UTC day, a UTC hour, a window. */
export const TIERS = ["months", "days", "hours", "windows"] as const;
export type Tier = (typeof TIERS)[number];
/** Those that are computed from windows, and may be late. */
export const ROLL_UPS = ["months", "days", "hours"] as const satisfies readonly Tier[];
export type RollUpTier = (typeof ROLL_UPS)[number];
/** Those that are looked at one by one when not all are up to date. */
export const CHECKED_ROLL_UPS = ["days", "hours"] as const satisfies readonly RollUpTier[];
export type CheckedRollUp = (typeof CHECKED_ROLL_UPS)[number];

export const UNIT_MS = { days: DAY_MS, hours: HOUR_MS, windows: WINDOW_MS } as const satisfies Record<
  Exclude<Tier, "months">,
  number
>;

/** By tier, spans of whole rows: disjoint, ascending, as long as they can be. Together they are what was to be read. */
export type TierSpans = Readonly<Record<Tier, readonly HistorySpan[]>>;

export interface Cut {
  /** Where buckets start, ascending; the first is at or before the first span. */
  readonly boundsMs: readonly number[];
  /** From here on, the start of a day, there are no roll-ups yet: nothing but windows is read. */
  readonly rolledUpToMs: number;
  /** Before here, the start of a day, windows are gone, and with them what a month could be checked by: days are read there. */
  readonly keptFromMs: number;
  readonly withMonths: boolean;
}

/**
 * Cuts spans into the coarsest rows that are exact for them: none reaches over an end of a span or a bound between buckets. So a day of
 * another zone is made of hours, a month of that zone of days with hours at its ends, years of months with days and hours at theirs, and where
 * bounds do not fall on hours, of windows there. Spans and bounds are aligned to windows and ascending.
 */
export function cutIntoTiers(
  spans: readonly HistorySpan[],
  { boundsMs, rolledUpToMs, keptFromMs, withMonths }: Cut,
): TierSpans {
  const cut: Record<Tier, HistorySpan[]> = { months: [], days: [], hours: [], windows: [] };
  const barsMs = [...boundsMs, rolledUpToMs, keptFromMs].sort((a, b) => a - b);
  for (const span of pieces(spans, barsMs)) {
    if (span.fromMs >= rolledUpToMs) {
      append(cut.windows, span);
      continue;
    }
    const month = withMonths && span.fromMs >= keptFromMs ? wholeMonths(span) : { fromMs: span.toMs, toMs: span.toMs };
    for (const besideMonth of around(span, month)) {
      const day = wholeUnits(besideMonth, UNIT_MS.days);
      for (const besideDay of around(besideMonth, day)) {
        const hour = wholeUnits(besideDay, UNIT_MS.hours);
        for (const end of around(besideDay, hour)) append(cut.windows, end);
        append(cut.hours, hour);
      }
      append(cut.days, day);
    }
    append(cut.months, month);
  }
  return cut;
}

/** The spans that are asked of roll-ups, of whatever tier. */
export function rolledUpSpans(tiers: TierSpans): HistorySpan[] {
  return joined(ROLL_UPS.flatMap((tier) => tiers[tier]));
}

/** Starts of roll-ups, in epoch milliseconds. */
export type Stale = Readonly<Record<CheckedRollUp, ReadonlySet<number>>>;

/** Takes roll-ups that are stale out of their spans, and their windows in. There are no months among them. */
export function withoutStale(tiers: TierSpans, stale: Stale): TierSpans {
  if (stale.days.size + stale.hours.size === 0) return tiers;
  const windows = [...tiers.windows];
  const fresh = (tier: CheckedRollUp) => {
    const kept: HistorySpan[] = [];
    for (const { fromMs, toMs } of tiers[tier]) {
      for (let startMs = fromMs; startMs < toMs; startMs += UNIT_MS[tier]) {
        const unit = { fromMs: startMs, toMs: startMs + UNIT_MS[tier] };
        if (stale[tier].has(startMs)) windows.push(unit);
        else append(kept, unit);
      }
    }
    return kept;
  };
  return { months: [], days: fresh("days"), hours: fresh("hours"), windows: joined(windows) };
}

/** The same spans of finer rows only: what needs hours cannot be told of days. */
export function noCoarserThan(tier: "hours" | "windows", { months, days, hours, windows }: TierSpans): TierSpans {
  const coarser = [...months, ...days];
  return tier === "hours"
    ? { months: [], days: [], hours: joined([...coarser, ...hours]), windows }
    : { months: [], days: [], hours: [], windows: joined([...coarser, ...hours, ...windows]) };
}

function joined(spans: readonly HistorySpan[]): HistorySpan[] {
  const whole: HistorySpan[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) append(whole, span);
  return whole;
}

/** The spans, cut at the bounds. */
function* pieces(spans: readonly HistorySpan[], boundsMs: readonly number[]): Generator<HistorySpan> {
  let at = 0;
  for (const { fromMs, toMs } of spans) {
    let startMs = fromMs;
    while (startMs < toMs) {
      while (at < boundsMs.length && (boundsMs[at] as number) <= startMs) at++;
      const endMs = Math.min(boundsMs[at] ?? toMs, toMs);
      yield { fromMs: startMs, toMs: endMs };
      startMs = endMs;
    }
  }
}

/** The whole units of a span; empty, at its start, if it has none. */
function wholeUnits({ fromMs, toMs }: HistorySpan, unitMs: number): HistorySpan {
  const firstMs = Math.ceil(fromMs / unitMs) * unitMs;
  const lastMs = Math.floor(toMs / unitMs) * unitMs;
  return firstMs < lastMs ? { fromMs: firstMs, toMs: lastMs } : { fromMs, toMs: fromMs };
}

/** The whole months of UTC of a span; empty, at its end, if it has none. */
function wholeMonths({ fromMs, toMs }: HistorySpan): HistorySpan {
  const last = monthOf(toMs);
  const first = monthOf(fromMs);
  const whole = { fromMs: first.startMs === fromMs ? fromMs : first.endMs, toMs: last.startMs };
  return whole.fromMs < whole.toMs ? whole : { fromMs: toMs, toMs };
}

function monthOf(ms: number): { readonly startMs: number; readonly endMs: number } {
  const date = new Date(ms);
  const month = (ahead: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead);
  return { startMs: month(0), endMs: month(1) };
}

/** What of a span is before and after its whole units. */
function around(span: HistorySpan, whole: HistorySpan): HistorySpan[] {
  return [
    { fromMs: span.fromMs, toMs: whole.fromMs },
    { fromMs: whole.toMs, toMs: span.toMs },
  ];
}

/** Joined to the span before where they touch: rows have their bucket by their start. */
function append(spans: HistorySpan[], span: HistorySpan): void {
  if (span.fromMs === span.toMs) return;
  const last = spans.at(-1);
  if (last?.toMs === span.fromMs) spans[spans.length - 1] = { fromMs: last.fromMs, toMs: span.toMs };
  else spans.push(span);
}
