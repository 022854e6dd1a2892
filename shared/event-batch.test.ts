import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "./event.arbitrary.ts";
import { batchOf, type EventBatch } from "./event-batch.ts";
import { encodeShardBatch } from "./messages/shard-batch.ts";
import { sipKeyFromHex } from "./siphash.ts";

const key = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const events = fc.array(paymentEvent, { maxLength: 30 });

/** What a batch says of each event, whatever the numbers of its texts are. */
const said = (batch: EventBatch) =>
  Array.from({ length: batch.size }, (_, i) => ({
    occurredAt: batch.occurredAt(i),
    fingerprint: [batch.fingerprintLo(i), batch.fingerprintHi(i)],
    merchantId: batch.merchantId(i),
    currency: batch.currency(i),
    event: batch.event(i),
  }));

describe("a part of a batch", () => {
  test("says of its events what the whole says, and has no texts but theirs", () => {
    fc.assert(
      fc.property(events, fc.nat(30), fc.nat(30), (sent, one, other) => {
        const [from, to] = [Math.min(one, other, sent.length), Math.min(Math.max(one, other), sent.length)];
        const whole = batchOf(sent, key);
        const part = whole.slice(from, to);
        expect(said(part)).toEqual(said(whole).slice(from, to));
        // To the byte what a batch of those events alone would be: its texts, too, and their order.
        expect(encodeShardBatch(part)).toEqual(encodeShardBatch(batchOf(sent.slice(from, to), key)));
      }),
    );
  });

  test("of a part is a part of the whole", () => {
    fc.assert(
      fc.property(events, fc.nat(29), (sent, at) => {
        const whole = batchOf(sent, key);
        const from = Math.min(at, sent.length);
        const part = whole.slice(from, sent.length);
        expect(encodeShardBatch(part.slice(0, part.size))).toEqual(encodeShardBatch(part));
      }),
    );
  });

  test("takes no more events: nothing can be looked up in its texts", () => {
    fc.assert(
      fc.property(paymentEvent, (event) => {
        const part = batchOf([event], key).slice(0, 1);
        expect(() => part.add(event, key)).toThrow("nothing can be added");
      }),
      { numRuns: 5 },
    );
  });

  test("belongs to no request by itself: it may not be all of the request's events", () => {
    const batch = batchOf([], key);
    batch.token = "0123456789abcdef0123456789abcdef";
    expect(batch.slice(0, 0).token).toBe("");
  });
});

test("a batch that has grown many times over holds every event as it was added", () => {
  fc.assert(
    fc.property(fc.array(paymentEvent, { minLength: 20, maxLength: 200, size: "max" }), (sent) => {
      const alone = sent.flatMap((event) => said(batchOf([event], key)));
      expect(said(batchOf(sent, key))).toEqual(alone);
    }),
    { numRuns: 20 },
  );
});
