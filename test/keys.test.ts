import { afterAll, beforeAll, expect, test } from "vitest";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

async function ask(method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(`${tally.runtime.apiUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
const asOperator = (method: string, path: string, body?: object) =>
  ask(method, `/v1/admin/${path}`, bearer(tally.operatorKey), body);
const sendWith = (key: string, merchant_id: string) =>
  tally.send([payment({ merchant_id })], { Authorization: `Bearer ${key}` });

test("an operator makes a source limited to a merchant, and a key for it, which sends for that merchant alone", async () => {
  await asOperator("POST", "sources", { id: "kiosk", name: "Kiosk", merchants: ["shop-1"] });
  const { status, body } = await asOperator("POST", "keys", { kind: "source", subject: "kiosk", name: "till" });
  expect(status).toBe(201);
  const beganMs = Date.now();
  const own = await sendWith(body.secret_key, "shop-1");
  expect(own.status).toBe(200);
  expect(own.headers.get("RateLimit-Policy")).toBe('"requests";q=50000;w=10');
  expect(own.headers.get("RateLimit")).toMatch(/^"requests";r=\d+;t=\d+$/);
  expect((await sendWith(body.secret_key, "shop-2")).status).toBe(403);
  const used = await until("its use to be noted", async () => {
    const key = await asOperator("GET", `keys/${body.id}`);
    return (key.body.last_used_at as string | null) ?? undefined;
  });
  expect(Date.parse(used)).toBeGreaterThanOrEqual(beganMs);
  expect(Date.parse(used)).toBeLessThanOrEqual(Date.now());
});

test("a merchant signs in on a loopback address, makes a key, rotates it, signs out, and all of it is in the log", async () => {
  const merchantKey = await tally.merchantKey("shop-1", "manage");
  const { apiUrl: Origin } = tally.runtime;
  const signedIn = await ask("POST", "/v1/session", { Origin }, { key: merchantKey });
  expect(signedIn.status).toBe(201);
  const cookie = signedIn.headers.get("Set-Cookie") ?? "";
  expect(cookie).toMatch(/^tally_session=.*; HttpOnly; SameSite=Strict$/);
  const page = { Cookie: cookie.split(";")[0] ?? "", Origin, "X-CSRF-Token": signedIn.body.session.csrf_token };
  expect((await ask("GET", "/v1/merchants/shop-1/metrics?from=today", { Cookie: page.Cookie })).status).toBe(200);
  expect((await ask("GET", "/v1/merchants/shop-2/metrics?from=today", { Cookie: page.Cookie })).status).toBe(403);

  const path = "/v1/merchants/shop-1/keys";
  expect((await ask("POST", path, { ...page, Origin: "https://evil.example" }, { name: "theirs" })).status).toBe(403);
  const made = await ask("POST", path, page, { name: "mine" });
  expect([made.status, made.body.role]).toEqual([201, "read"]);
  expect((await ask("POST", path, bearer(made.body.secret_key), { name: "more" })).status).toBe(403);
  const rotated = await ask("POST", `${path}/${made.body.id}/rotate`, page, { overlap_s: 60 });
  expect(rotated.body.old_key.replaced_by).toBe(rotated.body.key.id);
  for (const key of [made.body.secret_key, rotated.body.key.secret_key]) {
    expect((await ask("GET", path, bearer(key))).status).toBe(200);
  }
  expect((await ask("DELETE", `${path}/${rotated.body.key.id}`, page)).body.state).toBe("revoked");
  expect((await ask("DELETE", "/v1/session", page)).status).toBe(204);

  const logged = await until("the log to be complete", async () => {
    const { body } = await asOperator("GET", "log?limit=50");
    const own = body.entries.filter(({ who }: { who: { subject: string } | null }) => who?.subject === "shop-1");
    return own.every(({ status }: { status: number | null }) => status !== null) ? own : undefined;
  });
  expect(logged.map((entry: { method: string; status: number }) => [entry.method, entry.status])).toEqual([
    ["DELETE", 200],
    ["POST", 201],
    ["POST", 403],
    ["POST", 201],
    ["POST", 403],
  ]);
  expect(JSON.stringify(logged)).not.toMatch(/_[A-Za-z0-9_-]{43}/);
});

test("a merchant that an operator puts is read in its own zone and currency", async () => {
  const put = { name: "Kiosk", timezone: "America/New_York", currency: "USD" };
  expect((await asOperator("PUT", "merchants/shop-3", put)).status).toBe(201);
  const metrics = await asOperator("GET", "../merchants/shop-3/metrics?from=today");
  expect(metrics.body).toMatchObject({ timezone: "America/New_York" });
});
