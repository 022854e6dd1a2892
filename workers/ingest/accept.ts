import { acceptEvent, checkTime, type EventFault } from "../../shared/accept-event.ts";
import { type AcceptRules, acceptScanned } from "../../shared/accept-scanned.ts";
import { fromCloudEvent } from "../../shared/cloud-event.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { EventBatch } from "../../shared/event-batch.ts";
import { EventLines, type Provenance } from "../../shared/event-lines.ts";
import type { EventScanner } from "../../shared/event-scanner.ts";
import { hashUser } from "../../shared/identity.ts";
import { keepCompiled } from "../../shared/keep-compiled.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { SIP_KEY_ZERO, type SipKey } from "../../shared/siphash.ts";
import type { EventSink } from "./parse-events.ts";
import type { EventError } from "./receipt.ts";

/**
 * The events of a request that go on, as columns to count and lines to archive, each with its index in the request, and an error for every
 * other. Every event is judged by itself; one bad event never spoils its neighbours. From here on nothing is personal.
 */
export class Accepted implements EventSink {
  readonly batch: EventBatch;
  readonly lines: EventLines;
  /** By event of the batch, its index in the request. */
  readonly indexes: number[] = [];
  readonly errors: EventError[] = [];
  readonly #rules: AcceptRules;
  #index = 0;

  /** `bodyBytes`, of the request's body, is to guess by how much room its events take. */
  constructor(rules: AcceptRules, provenance: Provenance, bodyBytes: number) {
    this.#rules = rules;
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
    const accepted = acceptOne(raw, this.#rules);
    if (!accepted.ok) {
      this.errors.push({ index: this.#index++, event_id: idOf(fromCloudEvent(raw)), ...accepted.error });
      return;
    }
    this.batch.add(accepted.value, this.#rules.identityKey);
    this.lines.add(accepted.value);
    this.indexes.push(this.#index++);
  }

  fault(fault: EventFault): void {
    this.errors.push({ index: this.#index++, event_id: undefined, ...fault });
  }
}

/** Of an event as a source sends it; and how much longer its line is. */
const EVENT_BYTES_TYPICAL = 400;
const LINES_TO_BODY = 1.4;

function acceptOne(raw: unknown, rules: AcceptRules): Result<PaymentEvent, EventFault> {
  const accepted = acceptEvent(fromCloudEvent(raw));
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
function idOf(raw: unknown): string | undefined {
  const id = (raw as { event_id?: unknown } | null)?.event_id;
  return typeof id === "string" && id.length <= 64 ? id : undefined;
}

const rules = { nowMs: 0, historyAgeMaxMs: 0, userKey: SIP_KEY_ZERO, identityKey: SIP_KEY_ZERO, merchants: null };
keepCompiled(new Accepted(rules, { batch: "", source: "", receivedAtMs: 0 }, 0));
