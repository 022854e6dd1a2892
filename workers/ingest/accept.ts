import { acceptEvent, checkTime, type EventFault } from "../../shared/accept-event.ts";
import { type AcceptRules, acceptScanned } from "../../shared/accept-scanned.ts";
import { type Change, readChange, readCloudEventChange } from "../../shared/change-event.ts";
import { isCloudEvent, paymentOf, readCloudEvent } from "../../shared/cloud-event.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { EventBatch } from "../../shared/event-batch.ts";
import { EventLines, type Provenance } from "../../shared/event-lines.ts";
import type { EventScanner } from "../../shared/event-scanner.ts";
import { parseExactJson } from "../../shared/exact-json.ts";
import { hashUser } from "../../shared/identity.ts";
import { keepCompiled } from "../../shared/keep-compiled.ts";
import { mapChange } from "../../shared/map-change.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { SIP_KEY_ZERO, type SipKey } from "../../shared/siphash.ts";
import type { SourceMapping } from "../../shared/source-mapping.ts";
import type { EventSink } from "./parse-events.ts";
import type { EventError, EventNote } from "./receipt.ts";

/**
 * The events of a request that go on, as columns to count and lines to archive, each with its index in the request, and an error for every
 * other. Every event is judged by itself; one bad event never spoils its neighbours. From here on nothing is personal. A change of a
 * mapped row may be several events of one index, or none.
 */
export class Accepted implements EventSink {
  readonly parse: (json: string) => unknown;
  readonly batch: EventBatch;
  readonly lines: EventLines;
  /** By event of the batch, its index in the request. */
  readonly indexes: number[] = [];
  readonly errors: EventError[] = [];
  /** What is no event, and is not meant to be one. */
  readonly notes: EventNote[] = [];
  readonly #rules: AcceptRules;
  readonly #mapping: SourceMapping | null;
  #index = 0;

  /** `bodyBytes`, of the request's body, is to guess by how much room its events take; `mapping` makes payments of the source's rows. */
  constructor(rules: AcceptRules, provenance: Provenance, bodyBytes: number, mapping: SourceMapping | null = null) {
    this.#rules = rules;
    this.#mapping = mapping;
    this.parse = mapping === null ? JSON.parse : parseExactJson;
    this.batch = new EventBatch(Math.ceil(bodyBytes / EVENT_BYTES_TYPICAL));
    this.lines = new EventLines(provenance, Math.ceil(bodyBytes * LINES_TO_BODY));
  }

  /** How many events the request had so far. */
  get size(): number {
    return this.#index;
  }

  scanned(scanner: EventScanner, length: number): boolean {
    if (!acceptScanned(scanner, length, this.#rules, this)) return false;
    this.indexes.push(this.#index++);
    return true;
  }

  value(raw: unknown): void {
    if (isCloudEvent(raw)) {
      this.cloudEvent(raw);
      return;
    }
    const change = this.#mapping === null ? undefined : readChange(raw);
    if (change !== undefined) this.#change(change);
    else this.#payment(raw);
  }

  cloudEvent(raw: unknown): void {
    const event = readCloudEvent(raw, this.parse);
    if (!event.ok) {
      this.#reject(event.error, idOf(raw, "id"));
      return;
    }
    const change = readCloudEventChange(event.value);
    if (change !== undefined) {
      this.#change(change);
      return;
    }
    const payment = paymentOf(event.value);
    if (payment.ok) this.#payment(payment.value);
    else this.#reject(payment.error, idOf(raw, "id"));
  }

  fault(fault: EventFault): void {
    this.#reject(fault, undefined);
  }

  #payment(raw: unknown): void {
    const accepted = acceptOne(raw, this.#rules);
    if (accepted.ok) {
      this.#add(accepted.value);
      this.#index++;
      return;
    }
    // Asked only now, since no payment looks like a change.
    const isChange = this.#mapping === null && raw !== null && readChange(raw) !== undefined;
    this.#reject(isChange ? noMapping : accepted.error, idOf(raw, "event_id"));
  }

  #change(change: Change): void {
    if (this.#mapping === null) {
      this.fault(noMapping);
      return;
    }
    const mapped = mapChange(change, this.#mapping);
    if ("ignored" in mapped) this.notes.push({ index: this.#index++, ...mapped.ignored });
    else this.#mapped(mapped.payments);
  }

  #mapped(payments: readonly Result<unknown, EventFault>[]): void {
    // All or none: a sink that is told of success never sends the change again, not for the part that was refused either.
    const events: PaymentEvent[] = [];
    for (const payment of payments) {
      const event = payment.ok ? acceptOne(payment.value, this.#rules) : payment;
      if (!event.ok) {
        this.#reject(event.error, payment.ok ? idOf(payment.value, "event_id") : undefined);
        return;
      }
      events.push(event.value);
    }
    for (const event of events) this.#add(event);
    this.#index++;
  }

  #add(event: PaymentEvent): void {
    this.batch.add(event, this.#rules.identityKey);
    this.lines.add(event);
    this.indexes.push(this.#index);
  }

  #reject(fault: EventFault, eventId: string | undefined): void {
    this.errors.push({ index: this.#index++, event_id: eventId, ...fault });
  }
}

const noMapping: EventFault = {
  code: "no_mapping",
  message: "a change event of a database, but its source has no mapping from a row to a payment",
};

/** Of an event as a source sends it; and how much longer its line is. */
const EVENT_BYTES_TYPICAL = 400;
const LINES_TO_BODY = 1.4;

function acceptOne(raw: unknown, rules: AcceptRules): Result<PaymentEvent, EventFault> {
  const accepted = acceptEvent(raw);
  if (!accepted.ok) return accepted;
  const event = accepted.value;
  if (rules.merchants !== null && !rules.merchants.has(event.merchant_id)) {
    return err({
      code: "merchant_not_allowed",
      path: "merchant_id",
      message: "the key may not send for this merchant",
    });
  }
  const fault = checkTime(event.occurred_at, rules.nowMs, rules.historyAgeMaxMs);
  return fault === undefined ? ok(withHashedUser(event, rules.userKey)) : err(fault);
}

function withHashedUser(event: PaymentEvent, userKey: SipKey): PaymentEvent {
  const { user } = event;
  return user?.id === undefined ? event : { ...event, user: { ...user, id: hashUser(userKey, user.id) } };
}

/** Repeats the id to the sender if it is at least a short string, to help find the event. */
function idOf(raw: unknown, key: "event_id" | "id"): string | undefined {
  const id = (raw as Partial<Record<typeof key, unknown>> | null)?.[key];
  return typeof id === "string" && id.length <= 64 ? id : undefined;
}

const rules = { nowMs: 0, historyAgeMaxMs: 0, userKey: SIP_KEY_ZERO, identityKey: SIP_KEY_ZERO, merchants: null };
keepCompiled(new Accepted(rules, { batch: "", source: "", receivedAtMs: 0 }, 0));
