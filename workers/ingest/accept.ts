import { acceptEvent, checkTime, type EventFault } from "../../shared/accept-event.ts";
import { fromCloudEvent } from "../../shared/cloud-event.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { hashUser } from "../../shared/identity.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { SipKey } from "../../shared/siphash.ts";
import type { ParsedItem } from "./parse-events.ts";
import type { EventError } from "./receipt.ts";

export interface AcceptContext {
  readonly nowMs: number;
  readonly historyAgeMaxMs: number;
  readonly userKey: SipKey;
  /** The merchants the source may send for; `null` is all of them. */
  readonly merchants: ReadonlySet<string> | null;
}

/** The events that go on, each with its index in the request, and an error for every other. */
export interface Accepted {
  readonly events: readonly PaymentEvent[];
  readonly indexes: readonly number[];
  readonly errors: readonly EventError[];
}

/** Judges every event by itself; one bad event never spoils its neighbours. From here on nothing is personal. */
export function acceptAll(items: readonly ParsedItem[], context: AcceptContext): Accepted {
  const events: PaymentEvent[] = [];
  const indexes: number[] = [];
  const errors: EventError[] = [];
  items.forEach((item, index) => {
    const accepted = item.ok ? acceptOne(item.value, context) : item;
    if (accepted.ok) {
      events.push(accepted.value);
      indexes.push(index);
    } else {
      errors.push({ index, event_id: item.ok ? idOf(fromCloudEvent(item.value)) : undefined, ...accepted.error });
    }
  });
  return { events, indexes, errors };
}

function acceptOne(raw: unknown, context: AcceptContext): Result<PaymentEvent, EventFault> {
  const accepted = acceptEvent(fromCloudEvent(raw));
  if (!accepted.ok) return accepted;
  const event = accepted.value;
  if (context.merchants !== null && !context.merchants.has(event.merchant_id)) {
    return err({
      code: "merchant_not_allowed",
      path: "merchant_id",
      message: "the key may not send for this merchant",
    });
  }
  const fault = checkTime(event.occurred_at, context.nowMs, context.historyAgeMaxMs);
  return fault === undefined ? ok(withHashedUser(event, context.userKey)) : err(fault);
}

function withHashedUser(event: PaymentEvent, userKey: SipKey): PaymentEvent {
  const { user } = event;
  return user?.id === undefined ? event : { ...event, user: { ...user, id: hashUser(userKey, user.id) } };
}

/** Repeats the id to the sender if it is at least a short string, to help find the event. */
function idOf(raw: unknown): string | undefined {
  const id = (raw as { event_id?: unknown } | null)?.event_id;
  return typeof id === "string" && id.length <= 64 ? id : undefined;
}
