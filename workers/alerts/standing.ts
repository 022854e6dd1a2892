import type { Check } from "./check.ts";
import type { NoticeType } from "./notice.ts";

/** How an alert stands between looks. Times are epoch milliseconds. */
export interface Standing {
  readonly firingSince: number | null;
  readonly remindedAt: number | null;
  /** Since when every look has said otherwise than it stands. */
  readonly contradictedSince: number | null;
}

export interface StandingRules {
  /** For so long looks must say otherwise before it begins to fire, and before that ends; 0 for at once. */
  readonly fireMs: number;
  readonly clearMs: number;
  /** `null` for once. */
  readonly remindEveryMs: number | null;
}

export interface Decided {
  readonly standing: Standing;
  /** At most one notice a look; `firedMs` names the firing. */
  readonly told: { readonly type: Exclude<NoticeType, "alert.test">; readonly firedMs: number } | undefined;
}

/** What a look makes of how an alert stands. What is not known changes nothing, and is told to nobody. */
export function decideStanding(before: Standing, check: Check, rules: StandingRules, nowMs: number): Decided {
  const { firingSince: firedMs } = before;
  if (check.outcome === "unknown") {
    return { standing: { ...before, contradictedSince: null }, told: undefined };
  }
  const isFiring = check.outcome === "firing";
  if (isFiring === (firedMs !== null)) return stillSo({ ...before, contradictedSince: null }, rules, nowMs);
  const contradictedSince = before.contradictedSince ?? nowMs;
  const heldMs = nowMs - contradictedSince;
  if (heldMs < (isFiring ? rules.fireMs : rules.clearMs)) {
    return { standing: { ...before, contradictedSince }, told: undefined };
  }
  return firedMs === null
    ? {
        standing: { firingSince: nowMs, remindedAt: nowMs, contradictedSince: null },
        told: { type: "alert.fired", firedMs: nowMs },
      }
    : {
        standing: { firingSince: null, remindedAt: null, contradictedSince: null },
        told: { type: "alert.resolved", firedMs },
      };
}

function stillSo(standing: Standing, { remindEveryMs }: StandingRules, nowMs: number): Decided {
  const { firingSince: firedMs, remindedAt } = standing;
  const isToRemind = firedMs !== null && remindEveryMs !== null && nowMs - (remindedAt ?? firedMs) >= remindEveryMs;
  if (!isToRemind) return { standing, told: undefined };
  return { standing: { ...standing, remindedAt: nowMs }, told: { type: "alert.reminder", firedMs } };
}
