import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { verdict } from "./rate-limit.ts";

test.each(["ingest", "api"])("the variable of %s says what its binding does", (env) => {
  const { vars, ratelimits } = unstable_readConfig({ config: "wrangler.toml", env });
  const limits: readonly { readonly name: string; readonly simple: { limit: number; period: number } }[] = ratelimits;
  const limiter = limits.find(({ name }) => name === "RATE_LIMITER");
  expect(vars.RATE_LIMIT).toBe(`${limiter?.simple.limit}/${limiter?.simple.period}s`);
});

test("what is left is never below nothing, and nothing once the limiter has said no", () => {
  const quota = { requestsMax: 10, periodS: 10 };
  const left = (isAllowed: boolean, count: number) =>
    new Map(verdict(quota, isAllowed, count, 12_345).headers).get("RateLimit");
  expect([left(true, 1), left(true, 12), left(false, 1)]).toEqual([
    '"requests";r=9;t=8',
    '"requests";r=0;t=8',
    '"requests";r=0;t=8',
  ]);
});
