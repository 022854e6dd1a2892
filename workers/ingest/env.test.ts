import { expect, test } from "vitest";
import { type Env, settingsOf } from "./env.ts";
import { DIRECT_TIMEOUT_MS, LOG_DELAY_S } from "./limits.ts";

const env = {
  HISTORY_AGE_MAX_DAYS: "1830",
  IDENTITY_KEY: "000102030405060708090a0b0c0d0e0f",
  USER_KEY: "F00102030405060708090a0b0c0d0e0f",
} as unknown as Env;

test("settings are parsed once, days to milliseconds", () => {
  expect(settingsOf(env)).toMatchObject({
    historyAgeMaxMs: 1_830 * 86_400_000,
    identityKey: { k0Lo: 0x03020100 },
    userKey: { k0Lo: 0x030201f0 },
  });
});

test("a shard is waited for less long than the log waits, unless it is said otherwise", () => {
  expect(settingsOf(env).directTimeoutMs).toBe(DIRECT_TIMEOUT_MS);
  expect(DIRECT_TIMEOUT_MS).toBeLessThan(1_000 * LOG_DELAY_S);
  expect(settingsOf({ ...env, DIRECT_TIMEOUT_MS: "60000" }).directTimeoutMs).toBe(60_000);
});

test.each([
  ["HISTORY_AGE_MAX_DAYS", "a year"],
  ["HISTORY_AGE_MAX_DAYS", "0"],
  ["IDENTITY_KEY", undefined],
  ["IDENTITY_KEY", "secret-that-is-no-key"],
  ["USER_KEY", ""],
])("a setting that is missing or wrong is named, its value is not: %s", (name, value) => {
  const message = (() => {
    try {
      settingsOf({ ...env, [name]: value } as Env);
      return "";
    } catch (error) {
      return String(error);
    }
  })();
  expect(message).toContain(name);
  expect(message).not.toContain("secret-that-is-no-key");
});
