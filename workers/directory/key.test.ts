import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KeyKind, mintKey, parseKey, secretMatches } from "./key.ts";

const kind = fc.constantFrom<KeyKind>("source", "merchant", "operator");
const random = fc.uint8Array({ minLength: 40, maxLength: 40 });
const TAGS = { source: "tally_src_", merchant: "tally_mch_", operator: "tally_opr_" };

describe("a minted key", () => {
  test("parses into its id and secret, and its secret matches what is stored, which does not hold it", async () => {
    await fc.assert(
      fc.asyncProperty(kind, random, async (of, bytes) => {
        const { id, token, secretHash } = await mintKey(of, bytes);
        expect(token.startsWith(TAGS[of])).toBe(true);
        const key = parseKey(token);
        expect(key).toEqual({ id, secret: token.slice(-43) });
        expect(secretHash).toMatch(/^[0-9a-f]{64}$/);
        expect(secretHash).not.toContain(key?.secret);
        expect(await secretMatches(key?.secret ?? "", secretHash)).toBe(true);
      }),
    );
  });

  test("keeps all its randomness: another byte anywhere is another key", async () => {
    const zeros = await mintKey("source", new Uint8Array(40));
    for (let at = 0; at < 40; at++) {
      const { token, secretHash } = await mintKey("source", new Uint8Array(40).fill(1, at, at + 1));
      expect(token).not.toBe(zeros.token);
      expect(secretHash === zeros.secretHash).toBe(at < 8);
    }
  });

  test("takes 40 random bytes, no fewer", async () => {
    await expect(mintKey("source", new Uint8Array(39))).rejects.toThrow("40 random bytes");
  });
});

describe("a secret", () => {
  test("that differs anywhere does not match, nor does the id, the hash or nothing", async () => {
    const { id, token, secretHash } = await mintKey(
      "merchant",
      Uint8Array.from({ length: 40 }, (_, i) => i),
    );
    const secret = token.slice(-43);
    for (let at = 0; at < secret.length; at++) {
      const other = `${secret.slice(0, at)}${secret[at] === "A" ? "B" : "A"}${secret.slice(at + 1)}`;
      expect(await secretMatches(other, secretHash)).toBe(false);
    }
    for (const wrong of [id, secretHash, "", token]) expect(await secretMatches(wrong, secretHash)).toBe(false);
  });

  test("matches no hash that is cut off or empty", async () => {
    const { token, secretHash } = await mintKey("merchant", new Uint8Array(40));
    for (const stored of ["", secretHash.slice(2), `${secretHash}00`]) {
      expect(await secretMatches(token.slice(-43), stored)).toBe(false);
    }
  });
});

const token = `tally_src_${"0".repeat(16)}_${"A".repeat(43)}`;

test.each([
  "",
  "tally",
  token.replace("src", "xyz"),
  token.replace("0", "G"),
  token.replace("tally_src_0", "tally_src_"),
  `${token}A`,
  token.slice(0, -1),
  `${token}\n`,
  ` ${token}`,
  token.replace("A", "+"),
  token.toUpperCase(),
])("%j is no key", (text) => {
  expect(parseKey(token)).toBeDefined();
  expect(parseKey(text)).toBeUndefined();
});
