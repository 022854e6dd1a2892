import type { Receipt } from "../../clients/typescript/src/receipt.ts";
import type { PaymentEventInput } from "../../scripts/event-input.ts";
import { identityOf } from "../../scripts/ledger.ts";

/** What its sender knows of an event. `unknown`: it was sent, and no receipt has come; it may be counted, or not. */
export type Fate = "unknown" | "acknowledged" | "refused";

export interface RecordedEvent {
  /** As it was sent first: whatever a repeat says, this is what counts. */
  readonly event: PaymentEventInput;
  fate: Fate;
}

/** Everything that all senders have sent, and what they were told of it. */
export class SendersRecord {
  readonly #events = new Map<string, RecordedEvent>();
  #acknowledged = 0;
  #lastMs: number;
  #longestGapMs = 0;

  /** `nowMs`, when sending begins. */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** To be called before the first try. */
  sent(events: readonly PaymentEventInput[]): void {
    for (const event of events) {
      const identity = identityOf(event);
      if (!this.#events.has(identity)) this.#events.set(identity, { event, fate: "unknown" });
    }
  }

  /** Takes what a receipt says of the events of a request, by their places in it. */
  answered(
    events: readonly Pick<PaymentEventInput, "merchant_id" | "event_id">[],
    receipt: Receipt,
    nowMs: number,
  ): void {
    const refused = new Set(receipt.errors.filter(({ code }) => code !== "conflict").map(({ index }) => index));
    if (refused.size < events.length) this.noteAccepted(nowMs);
    events.forEach((event, index) => {
      const recorded = this.#events.get(identityOf(event));
      if (recorded === undefined) throw new Error(`${identityOf(event)} was answered, and not sent`);
      // A repeat may be refused for what it says itself; the first one stands.
      if (recorded.fate === "acknowledged") return;
      recorded.fate = refused.has(index) ? "refused" : "acknowledged";
      if (recorded.fate === "acknowledged") this.#acknowledged += 1;
    });
  }

  /** Also to be called when sending ends. */
  noteAccepted(nowMs: number): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The longest time between two receipts with an accepted event in them, whoever got them. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  get events(): ReadonlyMap<string, RecordedEvent> {
    return this.#events;
  }
}
