import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "../event.arbitrary.ts";
import type { PaymentEvent } from "../event.ts";
import { fingerprint, userHash } from "../identity.ts";
import { sipKeyFromHex } from "../siphash.ts";
import { decodeShardBatch, encodeShardBatch, SHARD_BATCH_EVENTS_MAX, type ShardBatch } from "./shard-batch.ts";

const key = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const events = fc.array(paymentEvent, { maxLength: 12 });
const plain: PaymentEvent = {
  event_id: "e-1",
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: 1_795_000_000_000,
  amount: 1_200,
  currency: "JPY",
  payment_method: "qr",
  points_used: 0,
  points_earned: 12,
};

function decoded(bytes: Uint8Array): ShardBatch {
  const batch = decodeShardBatch(bytes);
  if (!batch.ok) throw new Error(batch.error.reason);
  return batch.value;
}

/** What a shard must know of an event, taken from the event itself. */
const known = (event: PaymentEvent) => ({
  occurredAt: event.occurred_at,
  amount: event.amount,
  fingerprint: fingerprint(key, event.merchant_id, event.event_id, { lo: 0, hi: 0 }),
  merchantId: event.merchant_id,
  currency: event.currency,
  event: {
    type: event.type,
    amount: event.amount,
    points_used: event.points_used,
    points_earned: event.points_earned,
    user: event.user?.id === undefined ? undefined : userHash(event.user.id),
    dimensions: [
      event.payment_method,
      ...[event.user?.gender, event.user?.age_band, event.user?.grade, event.user?.country, event.user?.device],
      event.merchant?.location,
    ],
  },
});
const read = (batch: ShardBatch) =>
  Array.from({ length: batch.size }, (_, i) => ({
    occurredAt: batch.occurredAt(i),
    amount: batch.amount(i),
    fingerprint: { lo: batch.fingerprintLo(i), hi: batch.fingerprintHi(i) },
    merchantId: batch.merchantId(i),
    currency: batch.currency(i),
    event: batch.event(i),
  }));

describe("a shard batch", () => {
  test("says of every event what is counted of it, in its order, in any script", () => {
    fc.assert(
      fc.property(events, (sent) => {
        expect(read(decoded(encodeShardBatch(sent, key)))).toEqual(sent.map(known));
      }),
    );
  });

  test("is read from wherever it stands in a larger buffer", () => {
    fc.assert(
      fc.property(events, fc.nat(17), (sent, offset) => {
        const bytes = encodeShardBatch(sent, key);
        const within = new Uint8Array(offset + bytes.length + 5).fill(255);
        within.set(bytes, offset);
        const batch = decoded(within.subarray(offset, offset + bytes.length));
        expect(read(batch)).toEqual(sent.map(known));
      }),
    );
  });

  test.each([0, 1, 2, 3, SHARD_BATCH_EVENTS_MAX])("holds %i events", (n) => {
    const sent = Array.from({ length: n }, (_, i) => ({
      ...plain,
      event_id: `e-${i}`,
      merchant_id: `m-${i}`,
      amount: i,
    }));
    const batch = decoded(encodeShardBatch(sent, key));
    expect(batch.size).toBe(n);
    expect(read(batch)).toEqual(sent.map(known));
  });

  test("of more than 5,000 events is a bug of the caller's", () => {
    const tooMany = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 1 }, () => plain);
    expect(() => encodeShardBatch(tooMany, key)).toThrow(RangeError);
  });

  test("of 5,000 events in which every text is another keeps them apart", () => {
    const sent = Array.from({ length: SHARD_BATCH_EVENTS_MAX }, (_, i) => ({
      ...plain,
      merchant_id: `m${i}`,
      payment_method: `p${i}`,
      user: { grade: `g${i}`, gender: `n${i}`, device: `d${i}`, age_band: `a${i}`, country: `c${i}` },
      merchant: { location: `漢${i}` },
    }));
    expect(read(decoded(encodeShardBatch(sent, key)))).toEqual(sent.map(known));
  });
});

describe("what is no shard batch", () => {
  const bytes = encodeShardBatch([plain, { ...plain, event_id: "e-2", user: { gender: "漢" } }], key);
  const columnsEnd = 16 + Math.ceil((2 * 67) / 8) * 8;
  const changed = (change: (view: DataView, bytes: Uint8Array) => void) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer), copy);
    return decodeShardBatch(copy);
  };

  test("cut off anywhere, or with anything after its end, is an error", () => {
    for (let end = 0; end < bytes.length; end++) expect(decodeShardBatch(bytes.subarray(0, end)).ok).toBe(false);
    expect(decodeShardBatch(Uint8Array.of(...bytes, 0)).ok).toBe(false);
  });

  test("with bytes changed is an error or counts as events, never a crash", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(events, changes, (sent, at) => {
        const damaged = encodeShardBatch(sent, key);
        for (const [position, value] of at) damaged[position % damaged.length] = value;
        const batch = decodeShardBatch(damaged);
        if (!batch.ok) return;
        for (const { event, merchantId, currency } of read(batch.value)) {
          expect(Number.isSafeInteger(event.amount) && event.amount >= 0).toBe(true);
          expect(merchantId.length * currency.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, (view: DataView, bytes: Uint8Array) => void]>([
    ["another magic", (view) => view.setUint8(0, 0)],
    ["another version", (view) => view.setUint32(4, 2, true)],
    ["more events than there are", (view) => view.setUint32(8, 3, true)],
    ["four billion events", (view) => view.setUint32(8, 0xffffffff, true)],
    ["another length of text", (view) => view.setUint32(12, 1, true)],
    ["a time that is no number", (view) => view.setFloat64(16, Number.NaN, true)],
    ["a negative amount", (view) => view.setFloat64(32, -1, true)],
    ["points that are no integer", (view) => view.setFloat64(48, 0.5, true)],
    ["a string that is not there", (view) => view.setUint16(112, 99, true)],
    ["no merchant", (view) => view.setUint16(112, 0, true)],
    ["an unknown flag", (view) => view.setUint8(148, 4)],
    ["text that is not UTF-8", (_, all) => all.fill(0xff, all.length - 3)],
    ["an empty string", (_, all) => all.fill(10, columnsEnd, columnsEnd + 2)],
  ])("with %s is an error", (_, change) => {
    expect(changed(() => {}).ok).toBe(true);
    expect(changed(change)).toMatchObject({ ok: false, error: { reason: expect.any(String) } });
  });
});
