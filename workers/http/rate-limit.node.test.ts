import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { limitedAddress, verdict } from "./rate-limit.ts";

interface Limit {
  readonly name: string;
  readonly namespace_id: string;
  readonly simple: { readonly limit: number; readonly period: number };
}
const limitsOf = (env: string): readonly Limit[] => unstable_readConfig({ config: "wrangler.toml", env }).ratelimits;

const LIMITS = [
  ["RATE_LIMIT", "RATE_LIMITER"],
  ["ADDRESS_LIMIT", "ADDRESS_LIMITER"],
] as const;
const BINDINGS = ["ingest", "api"].flatMap((env) => LIMITS.map(([variable, binding]) => ({ env, variable, binding })));

test.each(BINDINGS)("$variable of $env says what $binding does", ({ env, variable, binding }) => {
  const { vars } = unstable_readConfig({ config: "wrangler.toml", env });
  const limiter = limitsOf(env).find(({ name }) => name === binding);
  expect(vars[variable]).toBe(`${limiter?.simple.limit}/${limiter?.simple.period}s`);
});

test("what is left is never below nothing, and nothing once the limiter has said no", () => {
  const quota = { requestsMax: 10, periodS: 10 };
  const left = (isAllowed: boolean, count: number) =>
    new Map(verdict("requests", quota, isAllowed, count, 12_345).headers).get("RateLimit");
  expect([left(true, 1), left(true, 12), left(false, 1)]).toEqual([
    '"requests";r=9;t=8',
    '"requests";r=0;t=8',
    '"requests";r=0;t=8',
  ]);
});

test("no limiter of one Worker counts for another", () => {
  const ids = ["ingest", "api"].flatMap((env) => limitsOf(env).map(({ namespace_id }) => namespace_id));
  expect(new Set(ids).size).toBe(2 * LIMITS.length);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["2001:db8:1:2::ffff:1", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
])("%s is limited as %s", (address, limited) => {
  expect(limitedAddress(address)).toBe(limited);
});
