import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { addKey, addSource, openDirectory } from "../directory/test-directory.ts";
import { api, ingest } from "../openapi/held-apps.ts";

/** The routes with the limiter as Miniflare has it: three requests a minute (vitest.config.ts). */
const { RATE_LIMITER, ADDRESS_LIMITER } = env as unknown as Record<"RATE_LIMITER" | "ADDRESS_LIMITER", RateLimit>;
const RATE_LIMIT = "3/60s";
let directory: D1Database;

beforeAll(async () => {
  directory = await openDirectory();
});
beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const minute = () => Math.floor(Date.now() / 60_000);

/** The limiter's minutes begin with the clock's: an attempt that a new one began in is made again, with keys that have used nothing. */
async function inOneMinute(attempt: () => Promise<void>): Promise<void> {
  const begun = minute();
  try {
    await attempt();
  } catch (error) {
    if (begun === minute()) throw error;
    await attempt();
  }
}

/** A source that has sent nothing yet. */
async function newSource(): Promise<string> {
  const id = crypto.randomUUID();
  await addSource(directory, id, null);
  return id;
}

const ids = (Authorization: string, more = {}) =>
  ingest.request(
    "/v1/ids",
    { method: "POST", headers: { Authorization } },
    { DIRECTORY: directory, RATE_LIMITER, RATE_LIMIT, ...more },
  );
const read = (Authorization: string) =>
  api.request("/v1/session", { headers: { Authorization } }, { DIRECTORY: directory, RATE_LIMITER, RATE_LIMIT });
const remaining = (response: Response) => response.headers.get("RateLimit")?.replace(/;t=\d+$/, "");

test("a source gets so many requests whatever keys it uses, is told what is left, and then to wait", () =>
  inOneMinute(async () => {
    const source = await newSource();
    const [one, other] = [await addKey(directory, "source", source), await addKey(directory, "source", source)];
    for (const [left, { authorization }] of [
      [2, one],
      [1, other],
      [0, one],
    ] as const) {
      const response = await ids(authorization);
      expect(response.status).toBe(200);
      expect(response.headers.get("RateLimit-Policy")).toBe('"requests";q=3;w=60');
      expect(remaining(response)).toBe(`"requests";r=${left}`);
    }
    const refused = await ids(other.authorization);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
    const waitS = Number(refused.headers.get("Retry-After"));
    expect(waitS).toBeGreaterThan(0);
    expect(waitS).toBeLessThanOrEqual(60);
    expect(remaining(refused)).toBe('"requests";r=0');
    expect(await refused.json()).toMatchObject({ code: "rate_limited", "violated-policies": ["requests"] });
  }));

test("each key of a reader has a limit of its own", () =>
  inOneMinute(async () => {
    const [one, other] = [await addKey(directory, "merchant", "shop-1"), await addKey(directory, "operator", "ops")];
    for (let n = 0; n < 3; n++) expect((await read(one.authorization)).status).toBe(200);
    expect((await read(one.authorization)).status).toBe(429);
    expect((await read(other.authorization)).status).toBe(200);
  }));

test("what a key may not do counts as well", () =>
  inOneMinute(async () => {
    const { authorization } = await addKey(directory, "merchant", "shop-1");
    const env = { DIRECTORY: directory, RATE_LIMITER, RATE_LIMIT };
    const forbidden = () => api.request("/v1/admin/topology", { headers: { Authorization: authorization } }, env);
    for (const left of [2, 1, 0]) {
      const response = await forbidden();
      expect([response.status, remaining(response)]).toEqual([403, `"requests";r=${left}`]);
    }
    expect((await forbidden()).status).toBe(429);
  }));

test("a limiter that fails stops nobody, and neither does one that is off", async () => {
  const { authorization } = await addKey(directory, "source", await newSource());
  const broken = { limit: () => Promise.reject(new Error("away")) };
  const response = await ids(authorization, { RATE_LIMITER: broken });
  expect(response.status).toBe(200);
  const off = await ids(authorization, { RATE_LIMIT: "off" });
  expect([off.status, off.headers.get("RateLimit")]).toEqual([200, null]);
  expect((await ids(authorization, { RATE_LIMIT: "many" })).status).toBe(500);
});

/** Nobody has come from there yet. */
let addresses = 0;
const newAddress = () => `2001:db8:${minute().toString(16).slice(-4)}:${(++addresses).toString(16)}::1`;

const limited = (more = {}) => ({ DIRECTORY: directory, ADDRESS_LIMITER, ADDRESS_LIMIT: RATE_LIMIT, ...more });
const unknownKey = () => `Bearer tally_mch_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}_${"A".repeat(43)}`;

test("sign-ins of one address are limited before any key is looked at, and told so", () =>
  inOneMinute(async () => {
    const address = newAddress();
    const signIn = () =>
      api.request(
        "/v1/session",
        { method: "POST", headers: { "CF-Connecting-IP": address }, body: '{"key":"x"}' },
        limited({ SESSION_KEY: "5e".repeat(32) }),
      );
    for (const left of [2, 1, 0]) {
      const response = await signIn();
      expect([response.status, remaining(response)]).toEqual([401, `"address";r=${left}`]);
    }
    const refused = await signIn();
    expect([refused.status, remaining(refused)]).toEqual([429, '"address";r=0']);
    expect(refused.headers.get("RateLimit-Policy")).toBe('"address";q=3;w=60');
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ "violated-policies": ["address"] });
  }));

test.each<["merchant" | "source", (headers: HeadersInit, env: object) => Response | Promise<Response>]>([
  ["merchant", (headers, env) => api.request("/v1/session", { headers }, env)],
  ["source", (headers, env) => ingest.request("/v1/ids", { method: "POST", headers }, env)],
])("whoever shows no valid key of a %s is limited by address; keys that are known go on", (kind, ask) =>
  inOneMinute(async () => {
    const address = newAddress();
    const neighbour = address.replace("::1", ":9::2");
    const subject = await newSource();
    const { authorization: known } = await addKey(directory, kind, subject);
    const { authorization: unseen } = await addKey(directory, kind, subject);
    const from = (Authorization: string, ip = address) => ask({ Authorization, "CF-Connecting-IP": ip }, limited());
    expect((await from(known)).status).toBe(200);
    for (const [nth, wrong] of [unknownKey(), "Bearer nonsense", unknownKey()].entries()) {
      const response = await from(wrong, nth === 1 ? neighbour : address);
      expect([response.status, remaining(response)]).toEqual([401, `"address";r=${2 - nth}`]);
    }
    const refused = await from(unknownKey());
    expect([refused.status, remaining(refused)]).toEqual([429, '"address";r=0']);
    expect(await refused.json()).toMatchObject({ code: "rate_limited", "violated-policies": ["address"] });
    // The directory is not asked any more: what is not known to the isolate is refused, right or wrong.
    const away = limited({ DIRECTORY: undefined });
    expect((await ask({ Authorization: unknownKey(), "CF-Connecting-IP": address }, away)).status).toBe(429);
    expect((await from(unseen)).status).toBe(429);
    expect((await from(known)).status).toBe(200);
    expect((await from(unseen, newAddress())).status).toBe(200);
  }),
);

test("callers whose address nobody knows are not limited by it", async () => {
  for (let n = 0; n < 5; n++) {
    const response = await api.request("/v1/session", { headers: { Authorization: unknownKey() } }, limited());
    expect([response.status, response.headers.get("RateLimit")]).toEqual([401, null]);
  }
});
