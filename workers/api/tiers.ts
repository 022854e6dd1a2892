import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";

/** `[fromMs, toMs)`, aligned to windows. */
export interface HistorySpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What history is kept in, coarsest first: rows of a UTC day, a UTC hour, a window. */
export const TIERS = ["days", "hours", "windows"] as const;
export type Tier = (typeof TIERS)[number];
/** Those that are computed from windows, and may be late. */
export type RollUpTier = Exclude<Tier, "windows">;

export const UNIT_MS = { days: DAY_MS, hours: HOUR_MS, windows: WINDOW_MS } as const satisfies Record<Tier, number>;

/** By tier, spans of whole rows: disjoint, ascending, as long as they can be. Together they are what was to be read. */
export type TierSpans = Readonly<Record<Tier, readonly HistorySpan[]>>;

/**
 * Cuts spans into the coarsest rows that are exact for them: none reaches over an end of a span or a bound between buckets. So a day of
 * another zone is made of hours, a month of that zone of days with hours at its ends, and where bounds do not fall on hours, of windows
 * there. Spans and bounds are aligned to windows and ascending, the first bound at or before the first span.
 */
export function cutIntoTiers(spans: readonly HistorySpan[], boundsMs: readonly number[]): TierSpans {
  const cut: Record<Tier, HistorySpan[]> = { days: [], hours: [], windows: [] };
  for (const span of pieces(spans, boundsMs)) {
    const day = wholeUnits(span, UNIT_MS.days);
    for (const rest of around(span, day)) {
      const hour = wholeUnits(rest, UNIT_MS.hours);
      for (const end of around(rest, hour)) append(cut.windows, end);
      append(cut.hours, hour);
    }
    append(cut.days, day);
  }
  return cut;
}

/** Starts of roll-ups, in epoch milliseconds. */
export type Stale = Readonly<Record<RollUpTier, ReadonlySet<number>>>;

/** Takes roll-ups that are stale out of their spans, and their windows in. */
export function withoutStale(tiers: TierSpans, stale: Stale): TierSpans {
  if (stale.days.size + stale.hours.size === 0) return tiers;
  const windows = [...tiers.windows];
  const fresh = (tier: RollUpTier) => {
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
  return { days: fresh("days"), hours: fresh("hours"), windows: joined(windows) };
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
