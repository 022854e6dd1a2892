import { GRACE_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";
import { presentTime } from "../api/present.ts";
import type { HistorySpan } from "../api/tiers.ts";
import type { Check } from "./check.ts";
import { FIRING_LOOK_MS, LOOK_MS_MIN, type Looked } from "./looks.ts";
import { type OpenStretch, openingAt } from "./opening-hours.ts";
import type { NoSalesRule } from "./rule.ts";

/** No payment for some minutes of opening hours: decided here, from what was sold. */

const MINUTE_MS = 60_000;
/** A shop that never opens is looked at once a day, in case its hours are changed by the clock. */
const NEVER_OPEN_LOOK_MS = 86_400_000;

export interface NoSalesLook {
  readonly rule: NoSalesRule;
  readonly zone: string;
  readonly nowMs: number;
  /** All that was paid until then, and was not late, is counted. Now, unless the log lags. */
  readonly countedMs: number;
}

/** What is to be read; or, while the shop is closed, what was found without. */
export type SalesAsked =
  | { readonly isOpen: true; readonly open: OpenStretch; readonly span: HistorySpan }
  | { readonly isOpen: false; readonly looked: Looked };

/** What came within the grace, or later than the log has brought, may be on its way yet: up to here a gap is one. */
const knownMs = ({ countedMs }: NoSalesLook) => countedMs - GRACE_MS;

export function askSales(look: NoSalesLook): SalesAsked {
  const { rule, zone, nowMs } = look;
  const { open, opensMs } = openingAt(rule.opening_hours, zone, knownMs(look));
  if (open === undefined) {
    const nextMs = opensMs === undefined ? nowMs + NEVER_OPEN_LOOK_MS : opensMs + rule.minutes * MINUTE_MS + GRACE_MS;
    const check: Check = { outcome: "quiet", reason: "closed", facts: null };
    return { isOpen: false, looked: { check, nextMs: Math.max(nextMs, nowMs + LOOK_MS_MIN) } };
  }
  const fromMs = windowStart(Math.max(open.fromMs, knownMs(look) - rule.minutes * MINUTE_MS));
  // The open window is in it: a payment of a moment ago ends a gap.
  return { isOpen: true, open, span: { fromMs, toMs: windowStart(nowMs) + WINDOW_MS } };
}

/**
 * From the starts of the windows of the span that have payments. When in its ten minutes the last payment was is not known, so the gap is counted from
 * their end: it is at least as long as is said, and told up to ten minutes later than by the minute.
 */
export function judgeSales(
  look: NoSalesLook,
  { open, span }: Extract<SalesAsked, { readonly isOpen: true }>,
  soldInMs: readonly number[],
): Looked {
  const { rule, zone, nowMs, countedMs } = look;
  const gapMs = rule.minutes * MINUTE_MS;
  const soldMs = soldInMs.length === 0 ? undefined : Math.max(...soldInMs) + WINDOW_MS;
  const sinceMs = Math.max(open.fromMs, soldMs ?? span.fromMs);
  const quietMs = Math.max(0, knownMs(look) - sinceMs);
  const facts = {
    kind: "no_sales" as const,
    quiet_since: presentTime(Math.min(sinceMs, nowMs), zone),
    open_since: presentTime(open.fromMs, zone),
    quiet_minutes: Math.floor(quietMs / MINUTE_MS),
    known_through: presentTime(knownMs(look), zone),
  };
  if (quietMs >= gapMs) {
    return { check: { outcome: "firing", reason: "no_sales", facts }, nextMs: nowMs + FIRING_LOOK_MS };
  }
  const reason = soldMs === undefined || soldMs <= open.fromMs ? "opened" : "sale";
  const nextMs = sinceMs + gapMs + GRACE_MS + (nowMs - countedMs);
  return { check: { outcome: "quiet", reason, facts }, nextMs: Math.max(nextMs, nowMs + LOOK_MS_MIN) };
}
