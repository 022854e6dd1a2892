import fc from "fast-check";
import { expect, test } from "vitest";
import { customerValue } from "./customers.ts";
import { erasedUser } from "./erased-user.ts";
import { userHash } from "./identity.ts";

const half = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2, 3, 4, 2 ** 31, 2 ** 32 - 1));
const hash = fc
  .tuple(half, half)
  .map(([hi, lo]) => hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0"));
const customerOf = (text: string) => customerValue(userHash(text).lo, userHash(text).hi);

test("an erased user is the same customer to every sketch", () => {
  fc.assert(fc.property(hash, (user) => customerOf(erasedUser(user)) === customerOf(user)));
});

test("all users of a register and rank become the same one, so that nothing else is left of any", () => {
  const erased = new Map<number, string>();
  fc.assert(
    fc.property(hash, (user) => {
      const known = erased.get(customerOf(user)) ?? erasedUser(user);
      erased.set(customerOf(user), known);
      expect(erasedUser(user)).toBe(known);
      expect(known).toMatch(/^[0-9a-f]{16}$/);
    }),
  );
});

test("erasing again changes nothing", () => {
  fc.assert(fc.property(hash, (user) => erasedUser(erasedUser(user)) === erasedUser(user)));
});
