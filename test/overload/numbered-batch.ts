const DIGITS = 9;

export interface NumberedBatchOptions {
  /** Unique among all batches that are sent to one system. */
  readonly name: string;
  readonly merchant: string;
  readonly events: number;
  /** Epoch ms, of all of them. */
  readonly occurredAtMs: number;
}

/** Batches that differ in the numbers of their events' ids alone, so that a sender need not make them anew. */
export class NumberedBatch {
  readonly events: number;
  /** Of the payments of one batch, in minor units. */
  readonly amount: number;
  readonly #template: Buffer;
  readonly #offsets: readonly number[];

  constructor({ name, merchant, events, occurredAtMs }: NumberedBatchOptions) {
    const offsets: number[] = [];
    let text = "";
    let amount = 0;
    for (let at = 0; at < events; at += 1) {
      const event = {
        event_id: `${name}-${at}-${"0".repeat(DIGITS)}`,
        type: "payment",
        merchant_id: merchant,
        occurred_at: occurredAtMs,
        amount: 100 + at,
        currency: "JPY",
        payment_method: "card",
        points_earned: 1,
        user: { id: `u-${at}`, grade: "gold", gender: "female", country: "JP", device: "ios", age_band: "25-34" },
        merchant: { grade: "plus", location: "Tokyo-Shibuya", business_type: "gift shop" },
      };
      const line = JSON.stringify(event);
      offsets.push(text.length + line.indexOf(`-${"0".repeat(DIGITS)}"`) + 1);
      text += `${line}\n`;
      amount += event.amount;
    }
    this.events = events;
    this.amount = amount;
    this.#offsets = offsets;
    this.#template = Buffer.from(text, "latin1");
  }

  /** Of every body. */
  get bytes(): number {
    return this.#template.byteLength;
  }

  /** NDJSON of the batch with this number. */
  body(number: number): Buffer {
    const body = Buffer.from(this.#template);
    this.number(body, number);
    return body;
  }

  /** Makes the body of one batch that of another. */
  number(body: Buffer, number: number): void {
    const digits = String(number).padStart(DIGITS, "0");
    for (const offset of this.#offsets) body.write(digits, offset, "latin1");
  }
}
