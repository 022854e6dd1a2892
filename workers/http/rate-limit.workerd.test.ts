import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { app as api } from "../api/index.ts";
import { addKey, addSource, openDirectory } from "../directory/test-directory.ts";
import ingest from "../ingest/index.ts";

/** The routes with the limiter as Miniflare has it: three requests a minute (vitest.config.ts). */
const { RATE_LIMITER } = env as unknown as { readonly RATE_LIMITER: RateLimit };
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

test("sign-ins of one address are limited before any key is looked at", () =>
  inOneMinute(async () => {
    const address = `2001:db8::${minute().toString(16).slice(-4)}`;
    const signIn = () =>
      api.request(
        "/v1/session",
        { method: "POST", headers: { "CF-Connecting-IP": address }, body: '{"key":"x"}' },
        { DIRECTORY: directory, RATE_LIMITER, RATE_LIMIT, SESSION_KEY: "5e".repeat(32) },
      );
    for (let n = 0; n < 3; n++) expect((await signIn()).status).toBe(401);
    expect((await signIn()).status).toBe(429);
  }));
