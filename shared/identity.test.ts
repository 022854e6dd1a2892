import fc from "fast-check";
import { expect, test } from "vitest";
import { eventId, merchantId } from "./event.arbitrary.ts";
import { fingerprint, hashUser, userHash } from "./identity.ts";
import { sipHash, sipKeyFromHex } from "./siphash.ts";

const key = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const otherKey = sipKeyFromHex("100102030405060708090a0b0c0d0e0f");
const hash = () => ({ lo: 0, hi: 0 });

test("a payer's hash is 16 hex digits that give the halves of the keyed hash back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (id) => {
      const hex = hashUser(key, id);
      expect(hex).toMatch(/^[0-9a-f]{16}$/);
      expect(userHash(hex)).toEqual(sipHash(key, id, hash()));
      expect(hashUser(otherKey, id)).not.toBe(hex);
    }),
  );
});

test("hashes that begin with zeros keep their digits", () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `user-${i}`).filter(
    (id) => sipHash(key, id, hash()).hi < 2 ** 20,
  );
  expect(ids.length).toBeGreaterThan(0);
  for (const id of ids) expect(userHash(hashUser(key, id))).toEqual(sipHash(key, id, hash()));
});

test("events have the same fingerprint only if merchant and id are the same, however the two are cut", () => {
  fc.assert(
    fc.property(merchantId, eventId, merchantId, eventId, (m1, e1, m2, e2) => {
      const same = m1 === m2 && e1 === e2;
      const equal =
        JSON.stringify(fingerprint(key, m1, e1, hash())) === JSON.stringify(fingerprint(key, m2, e2, hash()));
      expect(equal).toBe(same);
    }),
  );
  expect(fingerprint(key, "ab", "c", hash())).not.toEqual(fingerprint(key, "a", "bc", hash()));
});
