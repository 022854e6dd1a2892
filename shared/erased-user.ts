import { userHash } from "./identity.ts";

/**
 * What stands in the archive in the place of an erased user's hash: the one with the fewest bits set that fills the same register of a window's customers
 * with the same rank (`customerValue`). Of the 64 bits of a user nothing stays that the counters do not have as well, every user of the register
 * becomes the same one, and windows counted anew come to the same bytes. Erasing what is erased changes nothing.
 */
export function erasedUser(hash: string): string {
  const { lo, hi } = userHash(hash);
  const rank = Math.min(Math.clz32(hi) + 1, RANK_MAX);
  const high = 2 ** (32 - rank);
  return `${hex(high)}${hex(lo & REGISTER_MASK)}`;
}

const RANK_MAX = 31;
const REGISTER_MASK = 2047;

const hex = (half: number) => half.toString(16).padStart(8, "0");
