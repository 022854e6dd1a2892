import { type Hash64, type SipKey, sipHash, sipHashPair } from "./siphash.ts";

/**
 * An event is `(merchant_id, event_id)`. Shards know it by this 64-bit keyed fingerprint: keyed, so that nobody can make two events
 * collide; 64 bits, so that two of a million events in a window do with probability 3e-8. The key must outlive the horizon.
 */
export function fingerprint(identityKey: SipKey, merchantId: string, eventId: string, out: Hash64): Hash64 {
  return sipHashPair(identityKey, merchantId, eventId, out);
}

/** All that is kept of a payer's id, as 16 hex digits. The same payer has the same hash at every merchant. */
export function hashUser(userKey: SipKey, userId: string): string {
  const { lo, hi } = sipHash(userKey, userId, scratch);
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
}

const scratch: Hash64 = { lo: 0, hi: 0 };

/** The halves of `hashUser`'s digits, which is what sketches take. */
export function userHash(hex: string): { lo: number; hi: number } {
  return { lo: Number.parseInt(hex.slice(8), 16), hi: Number.parseInt(hex.slice(0, 8), 16) };
}
