import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "../event.arbitrary.ts";
import type { PaymentEvent } from "../event.ts";
import { batchOf, type EventBatch } from "../event-batch.ts";
import { fingerprint, userHash } from "../identity.ts";
import { sipKeyFromHex } from "../siphash.ts";
import { decodeShardBatch, encodeShardBatch, SHARD_BATCH_EVENTS_MAX } from "./shard-batch.ts";

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

const encoded = (sent: readonly PaymentEvent[]) => encodeShardBatch(batchOf(sent, key));

function decoded(bytes: Uint8Array): EventBatch {
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
const read = (batch: EventBatch) =>
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
        expect(read(decoded(encoded(sent)))).toEqual(sent.map(known));
      }),
    );
  });

  test("is read from wherever it stands in a larger buffer", () => {
    fc.assert(
      fc.property(events, fc.nat(17), (sent, offset) => {
        const bytes = encoded(sent);
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
    const batch = decoded(encoded(sent));
    expect(batch.size).toBe(n);
    expect(read(batch)).toEqual(sent.map(known));
  });

  test("of more than 5,000 events is a bug of the caller's", () => {
    const tooMany = Array.from({ length: SHARD_BATCH_EVENTS_MAX + 1 }, () => plain);
    expect(() => encoded(tooMany)).toThrow(RangeError);
  });

  test("of 5,000 events in which every text is another keeps them apart", () => {
    const sent = Array.from({ length: SHARD_BATCH_EVENTS_MAX }, (_, i) => ({
      ...plain,
      merchant_id: `m${i}`,
      payment_method: `p${i}`,
      user: { grade: `g${i}`, gender: `n${i}`, device: `d${i}`, age_band: `a${i}`, country: `c${i}` },
      merchant: { location: `漢${i}` },
    }));
    expect(read(decoded(encoded(sent)))).toEqual(sent.map(known));
  });
});

describe("the columns of a shard batch", () => {
  /** Encodes one plain event and another; answers what both take beyond a header, less their texts. */
  const bytesOf = (other: Partial<PaymentEvent>) => encoded([plain, { ...plain, event_id: "e-2", ...other }]).length;

  test.each<[string, number, Partial<PaymentEvent>, Partial<PaymentEvent>]>([
    ["times", 2 * 4, { occurred_at: plain.occurred_at + 2 ** 32 - 1 }, { occurred_at: plain.occurred_at + 2 ** 32 }],
    ["amounts", 2 * 4, { amount: 2 ** 32 - 1 }, { amount: 2 ** 32 }],
    ["points", 2 * 2 * 6, { points_used: 2 ** 16 - 1 }, { points_used: 2 ** 16 }],
    ["points earned", 2 * 2 * 6, { points_earned: 2 ** 16 - 1 }, { points_earned: 2 ** 16 }],
  ])("are wide for %s that do not fit, and for no others", (_, more, narrow, wide) => {
    expect(bytesOf(wide) - bytesOf(narrow)).toBeGreaterThanOrEqual(more);
    expect(bytesOf(wide) - bytesOf(narrow)).toBeLessThan(more + 8);
    for (const other of [narrow, wide]) {
      const sent = [{ ...plain, ...other }, plain, { ...plain, ...other, ...wide }, { ...plain, ...narrow }];
      expect(read(decoded(encoded(sent)))).toEqual(sent.map(known));
    }
  });

  test.each([252, 253, 254, 255, 256])("hold %i payment methods beside the currency", (methods) => {
    const sent = Array.from({ length: methods }, (_, i) => ({ ...plain, payment_method: `qr-${i}` }));
    expect(read(decoded(encoded(sent)))).toEqual(sent.map(known));
  });

  test("hold the largest numbers beside the smallest", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const sent = [
      { ...plain, occurred_at: 0, amount: 0, points_used: 0, points_earned: 0 },
      { ...plain, occurred_at: 8_640_000_000_000_000, amount: most, points_used: most, points_earned: most },
    ];
    expect(read(decoded(encoded(sent)))).toEqual(sent.map(known));
  });
});

describe("the token of a shard batch", () => {
  test("comes back as it was, whatever its digits are", () => {
    fc.assert(
      fc.property(events, fc.stringMatching(/^[0-9a-f]{32}$/), (sent, token) => {
        const batch = batchOf(sent, key);
        batch.token = token;
        const back = decoded(encodeShardBatch(batch));
        // Of zeros alone it is none: no request has such an id.
        expect(back.token).toBe(/^0+$/.test(token) ? "" : token);
        expect(read(back)).toEqual(sent.map(known));
      }),
    );
    expect(decoded(encoded([plain])).token).toBe("");
  });

  test.each(["0", "g".repeat(32), "A".repeat(32), "0".repeat(33), `${"0".repeat(32)}\n`])(
    "that is %j is a bug of the caller's",
    (token) => {
      const batch = batchOf([plain], key);
      batch.token = token;
      expect(() => encodeShardBatch(batch)).toThrow(RangeError);
    },
  );
});

describe("what is no shard batch", () => {
  const bytes = encoded([plain, { ...plain, event_id: "e-2", user: { gender: "漢" } }]);
  /** Where the narrow columns of two events begin. */
  const at = { base: 32, times: 56, amounts: 64, points: 72, merchants: 112, labels: 116, flags: 132, texts: 134 };
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
        const damaged = encoded(sent);
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
    ["another version", (view) => view.setUint32(4, 1, true)],
    ["more events than there are", (view) => view.setUint32(8, 3, true)],
    ["four billion events", (view) => view.setUint32(8, 0xffffffff, true)],
    ["wide columns that are narrow", (view) => view.setUint32(12, 1, true)],
    ["an unknown width", (view) => view.setUint32(12, 16, true)],
    ["fewer merchants than there are", (view) => view.setUint32(16, 0, true)],
    ["more merchants than there are", (view) => view.setUint32(16, 2, true)],
    ["fewer labels than there are", (view) => view.setUint32(20, 2, true)],
    ["four billion labels", (view) => view.setUint32(20, 0xffffffff, true)],
    ["another length of text", (view) => view.setUint32(24, 1, true)],
    ["a first time that is no number", (view) => view.setFloat64(at.base, Number.NaN, true)],
    ["a negative first time", (view) => view.setFloat64(at.base, -1, true)],
    ["a time beyond what is exact", (view) => view.setFloat64(at.base, 2 ** 53, true)],
    ["a merchant that is not there", (view) => view.setUint16(at.merchants, 1, true)],
    ["a label that is not there", (view) => view.setUint8(at.labels + 2, 99)],
    ["no currency", (view) => view.setUint8(at.labels, 0)],
    ["an unknown flag", (view) => view.setUint8(at.flags, 4)],
    ["text that is not UTF-8", (_, all) => all.fill(0xff, all.length - 3, all.length - 1)],
    ["an empty merchant", (_, all) => all.fill(10, at.texts, at.texts + 1)],
    ["an empty label", (_, all) => all.fill(10, all.length - 2)],
  ])("with %s is an error", (_, change) => {
    expect(changed(() => {}).ok).toBe(true);
    expect(changed(change)).toMatchObject({ ok: false, error: { reason: expect.any(String) } });
  });

  const wide = encoded([
    { ...plain, amount: 2 ** 40, points_used: 2 ** 40 },
    { ...plain, occurred_at: 0 },
  ]);
  test.each<[string, (view: DataView) => void]>([
    ["a time that is no number", (view) => view.setFloat64(56, Number.NaN, true)],
    ["a negative amount", (view) => view.setFloat64(72, -1, true)],
    ["points that are no integer", (view) => view.setFloat64(88, 0.5, true)],
    ["points without end", (view) => view.setFloat64(96, Number.POSITIVE_INFINITY, true)],
  ])("of wide columns with %s is an error", (_, change) => {
    const copy = wide.slice();
    expect(decodeShardBatch(copy).ok).toBe(true);
    change(new DataView(copy.buffer));
    expect(decodeShardBatch(copy)).toMatchObject({ ok: false, error: { reason: expect.any(String) } });
  });
});
