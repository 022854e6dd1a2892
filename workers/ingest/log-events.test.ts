import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentLoad } from "../../bench/load.ts";
import { acceptEvent } from "../../shared/accept-event.ts";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { EventLines } from "../../shared/event-lines.ts";
import { hashUser } from "../../shared/identity.ts";
import { decodeRawMessage, RAW_MESSAGE_BYTES_MAX, type RawMessage } from "../../shared/messages/raw.ts";
import { decodeShardBatch, encodeShardBatch, SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { gunzip } from "../gzip.ts";
import { packEvents } from "./log-events.ts";

const provenance = { batch: "0f7c1f44-6d1c-4d0a-9a55-1d9a3a1f6f10", source: "pos", receivedAtMs: 1_795_000_000_000 };
const idOf = ({ event_id }: PaymentEvent) => event_id;
const hourOf = (event: PaymentEvent) => Math.floor(event.occurred_at / HOUR_MS) * HOUR_MS;

const identityKey = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const options = {
  request: provenance.batch,
  receivedAtMs: provenance.receivedAtMs,
  token: "0123456789abcdef0123456789abcdef",
};

function logged(events: readonly PaymentEvent[]) {
  const lines = new EventLines(provenance);
  for (const event of events) lines.add(event);
  return { batch: batchOf(events, identityKey), lines };
}

function unpack(events: readonly PaymentEvent[]): RawMessage[] {
  return packEvents(logged(events), options).map((bytes) => {
    expect(bytes.byteLength).toBeLessThanOrEqual(RAW_MESSAGE_BYTES_MAX);
    const message = decodeRawMessage(bytes);
    if (!message.ok) throw new Error(message.error.reason);
    return message.value;
  });
}

function linesOf(gzip: Uint8Array): unknown[] {
  const text = new TextDecoder().decode(gunzip(gzip, 100_000_000));
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The events of all messages in order, each checked to stand in its own hour. */
function eventsIn(messages: readonly RawMessage[]): PaymentEvent[] {
  return messages.flatMap(({ members }) =>
    members.flatMap(({ hourMs, events, gzip }) => {
      const lines = linesOf(gzip);
      expect(lines.length).toBe(events);
      return lines.map((line) => {
        const event = acceptEvent(line);
        if (!event.ok) throw new Error(JSON.stringify(event.error));
        expect(hourOf(event.value)).toBe(hourMs);
        return event.value;
      });
    }),
  );
}

/** The messages' columns, one after another, are those of the events; and each message counts what it archives. */
function expectColumnsOf(events: readonly PaymentEvent[], messages: readonly RawMessage[]): void {
  const whole = batchOf(events, identityKey);
  let from = 0;
  for (const { columns, members } of messages) {
    const batch = decodeShardBatch(columns);
    if (!batch.ok) throw new Error(batch.error.reason);
    expect(members.reduce((sum, member) => sum + member.events, 0)).toBe(batch.value.size);
    expect(encodeShardBatch(batch.value)).toEqual(encodeShardBatch(whole.slice(from, from + batch.value.size)));
    from += batch.value.size;
  }
  expect(from).toBe(events.length);
}

/** By hour, in the order in which the hours come, each hour's events in their own order. */
function byHour(events: readonly PaymentEvent[]): PaymentEvent[] {
  return [...new Set(events.map(hourOf))].flatMap((hour) => events.filter((event) => hourOf(event) === hour));
}

/** An event as large as may be, that no compression makes smaller: xorshift32 text. */
function incompressible(n: number): PaymentEvent {
  let state = Math.imul(n + 1, 0x9e3779b1) | 1;
  const text = (length: number) => {
    let out = "";
    for (let i = 0; i < length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      out += String.fromCharCode(33 + ((state >>> 8) % 94));
    }
    return out;
  };
  return {
    event_id: `e-${n}`,
    type: "payment",
    merchant_id: "shop-1",
    occurred_at: 1_795_000_000_000,
    amount: 1,
    currency: "JPY",
    payment_method: text(32),
    points_used: 0,
    points_earned: 0,
    user: { id: "0123456789abcdef", grade: text(32), gender: text(32), device: text(32), age_band: text(32) },
    merchant: { grade: text(32), location: text(64), business_type: text(32) },
    attributes: { a: text(500) },
  };
}

describe("the messages of a request", () => {
  test("hold every event once and unchanged, by the hour in which it happened", () => {
    fc.assert(
      fc.property(fc.array(paymentEvent, { maxLength: 20 }), (events) => {
        expect(eventsIn(unpack(events))).toEqual(byHour(events));
      }),
    );
  });

  test("say of every event what is counted of it, in the order of the request", () => {
    fc.assert(
      fc.property(fc.array(paymentEvent, { maxLength: 20 }), (events) => {
        expectColumnsOf(events, unpack(events));
      }),
    );
    const parted = Array.from({ length: 500 }, (_, n) => incompressible(n));
    expectColumnsOf(parted, unpack(parted));
    // Small enough for few messages, and more than a shard takes at a time.
    const many = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 1 }, (_, n) => ({
      ...incompressible(0),
      event_id: `e-${n}`,
    }));
    expectColumnsOf(many, unpack(many));
  });

  test("all bear the request's token", () => {
    const messages = unpack(Array.from({ length: 500 }, (_, n) => incompressible(n)));
    expect(new Set(messages.map(({ token }) => token))).toEqual(new Set([options.token]));
  });

  test("say of every line who sent it, when and in which request; the messages of one request have names of their own", () => {
    const messages = unpack(Array.from({ length: 500 }, (_, n) => incompressible(n)));
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.map(({ batch }) => batch)).toEqual(messages.map((_, part) => `${provenance.batch}-${part}`));
    for (const { members, receivedAtMs } of messages) {
      expect(receivedAtMs).toBe(provenance.receivedAtMs);
      for (const line of members.flatMap(({ gzip }) => linesOf(gzip))) {
        expect(line).toMatchObject({ batch: provenance.batch, source: "pos", received_at: provenance.receivedAtMs });
      }
    }
  });

  test.each([1, 3])("are few: a thousand events as they come every day, of %i hours, are one", (hours) => {
    const next = paymentLoad({ seed: "few", merchants: 1_000 });
    const sent = Array.from({ length: 1_000 }, (_, n) => next(provenance.receivedAtMs + (n % hours) * HOUR_MS));
    const events = sent.map((event) => {
      const accepted = acceptEvent(event);
      if (!accepted.ok) throw new Error(accepted.error.message);
      const id = hashUser(identityKey, accepted.value.user?.id ?? "");
      return { ...accepted.value, user: { ...accepted.value.user, id } };
    });
    const messages = unpack(events);
    expect(messages.map(({ members }) => members.length)).toEqual([hours]);
    expect(eventsIn(messages)).toEqual(byHour(events));
  });

  test("stay below the queue's limit for 10,000 of the largest events that no compression makes smaller", () => {
    const events = Array.from({ length: 10_000 }, (_, n) => incompressible(n));
    const messages = unpack(events);
    expect(messages.length).toBeLessThan(180);
    expect(String(eventsIn(messages).map(idOf))).toBe(String(events.map(idOf)));
  });

  test("stay below the queue's limit for 10,000 small events of as many hours, each a member of its own", () => {
    const { user: _, merchant: __, attributes: ___, ...small } = incompressible(0);
    const events = Array.from({ length: 10_000 }, (_, n) => ({
      ...small,
      event_id: `e-${n}`,
      payment_method: "qr",
      occurred_at: 1_759_000_000_000 + n * HOUR_MS,
    }));
    expect(String(eventsIn(unpack(events)).map(idOf))).toBe(String(events.map(idOf)));
  });

  test("no events, no messages", () => {
    expect(packEvents(logged([]), options)).toEqual([]);
  });
});
