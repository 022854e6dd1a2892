import { expect, test } from "vitest";
import { hashUser } from "../shared/identity.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { parseEraseCommand } from "./erase-options.ts";

const USER_KEY = "0f".repeat(16);
const HASH = "0123456789abcdef";

test("a user goes over the wire as its hash alone, beside hashes that were given", () => {
  const parsed = parseEraseCommand(["--user", "u-7", "--user-hash", HASH, "--key", "k", "--to", "2026-11-01"], {
    TALLY_USER_KEY: USER_KEY,
  });
  expect(parsed).toMatchObject({
    command: { body: { user_hashes: [HASH, hashUser(sipKeyFromHex(USER_KEY), "u-7")], to: "2026-11-01" } },
  });
  expect(JSON.stringify(parsed)).not.toContain("u-7");
});

test.each([
  [["--user", "u-7", "--key", "k"], "USER_KEY"],
  [["--user-hash", HASH], "operator's key"],
  [["--key", "k"], "--user or --user-hash"],
  [["--user-hash", HASH, "--key", "k", "--url", "nowhere"], "not a URL"],
])("%j is refused with a word on why", (args, why) => {
  expect(parseEraseCommand(args, {})).toEqual({ wrong: expect.stringContaining(why) });
});
