import { type Notice, noticeOf } from "../alerts/notice.ts";
import type { Rule } from "../alerts/rule.ts";
import type { Alert, AlertChange } from "../directory/alerts.ts";

/** What a `PATCH` asks for, its address checked; what is left out stays. */
export interface AlertWish {
  readonly name?: string | undefined;
  readonly rule?: Rule | undefined;
  readonly url?: string | undefined;
  readonly remindEveryMs?: number | null | undefined;
  readonly isEnabled?: boolean | undefined;
}

export interface DecidedChange {
  readonly change: AlertChange & { readonly baseline?: null };
  readonly notices: readonly Notice[];
}

/**
 * What becomes of an alert. Another rule, or being disabled, ends a firing, and whoever was told of it is told of that: nobody waits for a resolution that
 * never comes. Enabling one, or giving it another address, takes it up again.
 */
export function decideChange(before: Alert, wish: AlertWish, nowMs: number): DecidedChange {
  const isEnabled = wish.isEnabled ?? before.isEnabled;
  const isOtherRule = wish.rule !== undefined && JSON.stringify(wish.rule) !== JSON.stringify(before.rule);
  const isDisabled = before.isEnabled && !isEnabled;
  const isTakenUp = isEnabled && (!before.isEnabled || (wish.url !== undefined && wish.url !== before.url));
  const change: AlertChange & { readonly baseline?: null } = {
    ...(wish.name === undefined ? {} : { name: wish.name }),
    ...(wish.rule === undefined ? {} : { rule: wish.rule }),
    ...(wish.url === undefined ? {} : { url: wish.url }),
    ...(wish.remindEveryMs === undefined ? {} : { remindEveryMs: wish.remindEveryMs }),
    isEnabled,
    dueAt: isEnabled ? nowMs : null,
    ...(isTakenUp ? { disabledReason: null, failingSince: null } : {}),
    ...(isOtherRule || isDisabled ? AS_NEW : {}),
    ...(isOtherRule ? { checked: null, checkedAt: null } : {}),
  };
  const { firingSince: firedMs } = before;
  if (firedMs === null || !(isOtherRule || isDisabled)) return { change, notices: [] };
  const of = { alert: before, kind: before.rule.kind, firedMs, facts: null };
  const resolved = noticeOf("alert.resolved", { ...of, reason: isDisabled ? "disabled" : "changed" }, nowMs);
  return { change, notices: [resolved] };
}

const AS_NEW = { firingSince: null, remindedAt: null, contradictedSince: null, baseline: null } as const;
