import type { z } from "zod";
import { shownOrigin } from "../access/logged-parameters.ts";
import { NOTICE_TYPES, presentFacts } from "../alerts/notice.ts";
import type { Delivery } from "../directory/alert-deliveries.ts";
import type { Alert } from "../directory/alerts.ts";
import type { alertSchema, deliverySchema } from "./alert-schemas.ts";

const MINUTE_MS = 60_000;

/** Never with its secrets. Whoever may not change it sees of the address its origin: the rest may itself be what lets its holder in, as with many chats. */
export function presentAlert(alert: Alert, mayManage: boolean, nowMs: number): z.output<typeof alertSchema> {
  const { id, merchantId, name, rule, url, previousUntil, remindEveryMs, firingSince } = alert;
  return {
    id,
    merchant_id: merchantId,
    name,
    rule,
    webhook: {
      url: mayManage ? url : shownOrigin(url),
      previous_secret_until: previousUntil !== null && previousUntil > nowMs ? instant(previousUntil) : null,
    },
    remind_every_minutes: remindEveryMs === null ? null : remindEveryMs / MINUTE_MS,
    enabled: alert.isEnabled,
    disabled_reason: alert.disabledReason,
    state: firingSince === null ? "quiet" : "firing",
    firing_since: instantOrNull(firingSince),
    checked: presentCheck(alert),
    created_at: instant(alert.createdAt),
    updated_at: instant(alert.updatedAt),
  };
}

function presentCheck({ checked, checkedAt }: Alert): z.output<typeof alertSchema>["checked"] {
  if (checked === null || checkedAt === null) return null;
  const facts = checked.outcome === "unknown" || checked.facts === null ? null : presentFacts(checked.facts);
  return { at: instant(checkedAt), outcome: checked.outcome, reason: checked.reason, facts };
}

export function presentDelivery(delivery: Delivery): z.output<typeof deliverySchema> {
  const type = NOTICE_TYPES.find((one) => one === delivery.type);
  if (type === undefined) throw new Error(`no notice is a ${delivery.type}`);
  const { id, attempts, deliveredAt, failedAt, status, failure } = delivery;
  return {
    id,
    type,
    state: deliveredAt !== null ? "delivered" : failedAt !== null ? "failed" : "pending",
    attempts,
    created_at: instant(delivery.createdAt),
    next_attempt_at: instantOrNull(delivery.dueAt),
    delivered_at: instantOrNull(deliveredAt),
    status,
    failure,
  };
}

const instant = (ms: number) => new Date(ms).toISOString();
const instantOrNull = (ms: number | null) => (ms === null ? null : instant(ms));
