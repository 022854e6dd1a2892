import type { PaymentEvent } from "../../shared/event.ts";
import { type EventBatch, batchOf as pack } from "../../shared/event-batch.ts";
import { decodeShardBatch, encodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { gzip } from "../gzip.ts";

/** Payments for tests. The key is the one vitest.config.ts gives the Worker. */
export const IDENTITY_KEY = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");

/** Noon of a day far ahead: alarms set after it do not ring by themselves while a test runs. */
export const NOON_MS = Date.UTC(2031, 2, 5, 12);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

export function payment(fields: Partial<PaymentEvent> & Pick<PaymentEvent, "event_id">): PaymentEvent {
  return {
    type: "payment",
    merchant_id: "shop",
    occurred_at: NOON_MS,
    amount: 100,
    currency: "JPY",
    payment_method: "card",
    points_used: 0,
    points_earned: 0,
    ...fields,
  };
}

/** `n` payments of 100, `name-0` and on, at one moment. */
export function payments(name: string, n: number, fields: Partial<PaymentEvent> = {}): PaymentEvent[] {
  return Array.from({ length: n }, (_, i) => payment({ ...fields, event_id: `${name}-${i}` }));
}

export function bytesOf(events: readonly PaymentEvent[]): Uint8Array<ArrayBuffer> {
  return encodeShardBatch(pack(events, IDENTITY_KEY));
}

export function batchOf(events: readonly PaymentEvent[]): EventBatch {
  const decoded = decodeShardBatch(bytesOf(events));
  if (!decoded.ok) throw new Error(decoded.error.reason);
  return decoded.value;
}

/** The start of an hour that is final, as ClickHouse's own clock sees it, too. */
export const ARCHIVED_MS = Date.UTC(2026, 2, 1);

/** A payment of 1 of that hour. */
export function archivedPayment(fields: Partial<PaymentEvent> = {}): PaymentEvent {
  return payment({ event_id: "e", merchant_id: "a", occurred_at: ARCHIVED_MS, amount: 1, ...fields });
}

/** An event as it came: when, in which request, and as which of its events, where that matters. */
export interface Received {
  readonly event: PaymentEvent;
  readonly receivedAtMs: number;
  readonly batch: string;
  readonly n?: number;
}

/** Lines of the archive, as one member. */
export function gzippedLines(received: readonly Received[]): Uint8Array<ArrayBuffer> {
  const lines = received.map(({ event, receivedAtMs, batch, n }) =>
    JSON.stringify({ ...event, received_at: receivedAtMs, source: "pos", batch, ...(n === undefined ? {} : { n }) }),
  );
  return gzip(`${lines.join("\n")}\n`);
}
