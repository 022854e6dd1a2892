import type { Hono } from "hono";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { addKey, addSource, openDirectory } from "../directory/test-directory.ts";
import { api, ingest } from "../openapi/held-apps.ts";
import { isMiddleware, nameOf } from "./admit.ts";
import { CSRF_HEADER } from "./csrf-header.ts";
import { csrfTokenOf, type Session, sealSession } from "./session.ts";
import { type AccessTable, API_ACCESS, INGEST_ACCESS, type Who } from "./table.ts";

/** Every route of both Workers, asked by every kind of caller. */

const ORIGIN = "https://tally.example";
const SESSIONS = { SESSION_KEY: "5e".repeat(32), SESSION_KEY_PREVIOUS: "0d".repeat(32) };
const HOUR_MS = 3_600_000;
let directory: D1Database;
let callers: Readonly<Record<CallerName, HeadersInit>>;

/** What becomes of a caller: let in, not known, or known and not allowed; `csrf` for one that may, but not without proof of the page. */
type Fate = "in" | 401 | 403 | "csrf";

const CALLERS = [
  "no key",
  "a malformed key",
  "an unknown key",
  "a key with another's secret",
  "a revoked key",
  "an expired key",
  "a key that was rotated away",
  "an operator's key without Bearer",
  "an operator's key as Basic",
  "an operator's key twice",
  "an operator's key in a cookie",
  "an operator's key in another header",
  "an operator's key, a character short",
  "an operator's key in capitals",
  "a source's key",
  "another merchant's key",
  "the merchant's key",
  "the merchant's key that manages",
  "another merchant's key that manages",
  "an operator's key",
  "the merchant's session",
  "the merchant's session under the previous secret",
  "the merchant's session without CSRF token",
  "the merchant's session with another's CSRF token",
  "the merchant's session from another site",
  "the merchant's session from nowhere",
  "the merchant's session of a key that manages",
  "another merchant's session",
  "an operator's session",
  "a source's session",
  "a tampered session",
  "a session under a foreign secret",
  "an expired session",
  "a session of a revoked key",
  "a session of no provider",
  "a revoked key beside a good session",
] as const;
type CallerName = (typeof CALLERS)[number];

/** Known callers by what they are; everybody else is nobody. */
const KNOWN: Partial<Record<CallerName, "source" | "other" | "own" | "manager" | "operator">> = {
  "a source's key": "source",
  "another merchant's key": "other",
  "the merchant's key": "own",
  "the merchant's key that manages": "manager",
  "another merchant's key that manages": "other",
  "an operator's key": "operator",
  "the merchant's session": "own",
  "the merchant's session under the previous secret": "own",
  "the merchant's session without CSRF token": "own",
  "the merchant's session with another's CSRF token": "own",
  "the merchant's session from another site": "own",
  "the merchant's session from nowhere": "own",
  "the merchant's session of a key that manages": "manager",
  "another merchant's session": "other",
  "an operator's session": "operator",
  "a source's session": "source",
};
const UNPROVEN: readonly CallerName[] = [
  "the merchant's session without CSRF token",
  "the merchant's session with another's CSRF token",
  "the merchant's session from another site",
  "the merchant's session from nowhere",
];
const MAY: Readonly<Record<Exclude<Who, "anyone" | "session">, readonly string[]>> = {
  source: ["source"],
  merchant: ["own", "manager", "operator"],
  manager: ["manager", "operator"],
  reader: ["own", "other", "manager", "operator"],
  operator: ["operator"],
};

/** Said again here, apart from how `admit` decides it. */
function fateOf(who: Who, caller: CallerName, method: string): Fate {
  if (who === "anyone") return "in";
  const kind = KNOWN[caller];
  if (kind === undefined) return 401;
  const isSession = caller.includes("session");
  const may =
    who === "session" ? isSession && kind !== "source" : MAY[who].includes(kind) && !(who === "source" && isSession);
  if (!may) return 403;
  return UNPROVEN.includes(caller) && method !== "GET" ? "csrf" : "in";
}

beforeAll(async () => {
  directory = await openDirectory();
  await addSource(directory, "pos", null);
  const key = async (kind: "source" | "merchant" | "operator", subject: string, more = {}) =>
    await addKey(directory, kind, subject, more);
  const [pos, other, own, ops, manager, otherManager] = [
    await key("source", "pos"),
    await key("merchant", "shop-2"),
    await key("merchant", "shop-1"),
    await key("operator", "ops"),
    await key("merchant", "shop-1", { role: "manage" }),
    await key("merchant", "shop-2", { role: "manage" }),
  ];
  const revoked = await key("operator", "ops", { revokedAt: 1 });
  const rotated = await key("operator", "ops", { expiresAt: 1, replacedBy: ops.id });
  const expired = await key("operator", "ops", { expiresAt: Date.now() - 1 });
  const sessionOf = (handle: string, over: Partial<Session> = {}): Session => ({
    id: `session-${handle}`,
    provider: "key",
    handle,
    issuedMs: Date.now(),
    expiresMs: Date.now() + HOUR_MS,
    ...over,
  });
  const page = async (session: Session, env: typeof SESSIONS | { SESSION_KEY: string } = SESSIONS) => ({
    Cookie: `__Host-tally_session=${await sealSession(env, session)}`,
    Origin: ORIGIN,
    "Sec-Fetch-Site": "same-origin",
    [CSRF_HEADER]: await csrfTokenOf(env, session),
  });
  const mine = await page(sessionOf(own.id));
  const { Origin: _, "Sec-Fetch-Site": __, ...fromNowhere } = mine;
  const { [CSRF_HEADER]: ___, ...withoutToken } = mine;
  const previous = { SESSION_KEY: SESSIONS.SESSION_KEY_PREVIOUS };
  const foreign = { SESSION_KEY: "66".repeat(32) };
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  callers = {
    "no key": {},
    "a malformed key": bearer("tally_opr_short"),
    "an unknown key": bearer(`tally_opr_${"0".repeat(16)}_${"A".repeat(43)}`),
    "a key with another's secret": bearer(`tally_opr_${ops.id}_${own.token.slice(-43)}`),
    "a revoked key": bearer(revoked.token),
    "an expired key": bearer(expired.token),
    "a key that was rotated away": bearer(rotated.token),
    "an operator's key without Bearer": { Authorization: ops.token },
    "an operator's key as Basic": { Authorization: `Basic ${btoa(`:${ops.token}`)}` },
    // As two fields of the same name are joined.
    "an operator's key twice": { Authorization: `Bearer ${ops.token}, Bearer ${ops.token}` },
    "an operator's key in a cookie": { Cookie: `__Host-tally_session=${ops.token}; Authorization=${ops.token}` },
    "an operator's key in another header": { "X-Api-Key": ops.token, "Proxy-Authorization": `Bearer ${ops.token}` },
    "an operator's key, a character short": bearer(ops.token.slice(0, -1)),
    "an operator's key in capitals": bearer(ops.token.toUpperCase()),
    "a source's key": bearer(pos.token),
    "another merchant's key": bearer(other.token),
    "the merchant's key": bearer(own.token),
    "the merchant's key that manages": bearer(manager.token),
    "another merchant's key that manages": bearer(otherManager.token),
    "an operator's key": bearer(ops.token),
    "the merchant's session": mine,
    "the merchant's session under the previous secret": await page(sessionOf(own.id), previous),
    "the merchant's session without CSRF token": withoutToken,
    "the merchant's session with another's CSRF token": {
      ...mine,
      [CSRF_HEADER]: await csrfTokenOf(SESSIONS, sessionOf(other.id)),
    },
    "the merchant's session from another site": {
      ...mine,
      Origin: "https://evil.example",
      "Sec-Fetch-Site": "cross-site",
    },
    "the merchant's session from nowhere": fromNowhere,
    "the merchant's session of a key that manages": await page(sessionOf(manager.id)),
    "another merchant's session": await page(sessionOf(other.id)),
    "an operator's session": await page(sessionOf(ops.id)),
    "a source's session": await page(sessionOf(pos.id)),
    "a tampered session": { ...mine, Cookie: tampered(mine.Cookie, sessionOf(ops.id)) },
    "a session under a foreign secret": await page(sessionOf(ops.id), foreign),
    "an expired session": await page(sessionOf(ops.id, { expiresMs: Date.now() - 1 })),
    "a session of a revoked key": await page(sessionOf(revoked.id)),
    "a session of no provider": await page(sessionOf(ops.id, { provider: "none" })),
    "a revoked key beside a good session": { ...(await page(sessionOf(ops.id))), ...bearer(revoked.token) },
  };
});

/** Another session's payload under this one's signature. */
function tampered(cookie: string, { id, provider: idp, handle: sub, issuedMs: iat, expiresMs: exp }: Session): string {
  const payload = btoa(JSON.stringify({ v: 1, id, idp, sub, iat, exp })).replaceAll("=", "");
  return `__Host-tally_session=${payload}.${cookie.split(".")[1]}`;
}

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

/** Only the directory is there: whoever is let in finds that out from the handler. Ingest has no sessions. */
const env = (worker = "api") => ({ DIRECTORY: directory, ...(worker === "api" ? SESSIONS : {}) });

const WORKERS = [
  { worker: "api", app: api as unknown as Hono, table: API_ACCESS },
  { worker: "ingest", app: ingest as unknown as Hono, table: INGEST_ACCESS },
];
/** The paths of what stands in routers before the routes. Something that answers requests must not be among them. */
const MIDDLEWARE_PATHS = ["/*"];

describe.each(WORKERS)("$worker", ({ worker, app, table }: { worker: string; app: Hono; table: AccessTable }) => {
  test("has every route in the table of access, and no other", () => {
    const routes = app.routes.filter((route) => !isMiddleware(route)).map(nameOf);
    expect([...new Set(routes)].sort()).toEqual(Object.keys(table).sort());
    const middleware = app.routes.filter(isMiddleware).map(({ path }) => path);
    expect([...new Set(middleware)]).toEqual(MIDDLEWARE_PATHS);
  });

  const routes = Object.entries(table).map(([name, { who }]) => ({ name, who }));
  test.each(routes)("$name is for $who, and for nobody else", async ({ name, who }) => {
    const [method = "", path = ""] = name.split(" ");
    const url = `${ORIGIN}${path.replace(":merchant", "shop-1").replace(/:[a-z]+/g, "none")}`;
    const sent = method === "ALL" ? "GET" : method;
    const fates: Record<string, Fate> = {};
    const expected: Record<string, Fate> = {};
    for (const caller of CALLERS) {
      const response = await app.request(url, { method: sent, headers: callers[caller] }, env(worker));
      fates[caller] = await readFate(response);
      const isCookie = worker === "ingest" && caller.includes("session") && who !== "anyone";
      expected[caller] = isCookie ? 401 : fateOf(who, caller, sent);
    }
    if (name === "POST /v1/session") {
      // For anyone, but a page of another site may not sign its visitors in; and it finds no key in the body.
      expect(Object.entries(fates).filter(([, fate]) => fate === "in")).toEqual([]);
      return;
    }
    expect(fates).toEqual(expected);
  });
});

async function readFate(response: Response): Promise<Fate> {
  if (response.status !== 401 && response.status !== 403) return "in";
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  const { code } = (await response.json()) as { code: string };
  if (code === "csrf") return "csrf";
  expect(code).toBe(response.status === 401 ? "unauthorized" : "forbidden");
  return response.status;
}

describe("the table", () => {
  test("leaves everything below a merchant to the merchant, of which its keys and alerts are changed by keys that manage them, and everything of administration to operators, in the log but for what watches", () => {
    for (const [name, { who, isLogged }] of Object.entries(API_ACCESS)) {
      const [method = "", path = ""] = name.split(" ");
      const changesWhatLasts = /\/(?:keys|alerts)/.test(path) && method !== "GET";
      const isMerchants = path.startsWith("/v1/merchants/:merchant");
      expect([name, who === "merchant"]).toEqual([name, isMerchants && !changesWhatLasts]);
      expect([name, who === "manager"]).toEqual([name, isMerchants && changesWhatLasts]);
      expect([name, who === "operator"]).toEqual([name, path.startsWith("/v1/admin/")]);
      const isWatched = name === "GET /v1/admin/health" || name === "GET /v1/admin/metrics";
      expect([name, isLogged]).toEqual([name, (path.startsWith("/v1/admin/") && !isWatched) || changesWhatLasts]);
    }
  });
});

test.each(["key", "access_token", "authorization", "token"])("a key in the address, as %s, is no key", async (name) => {
  const { Authorization } = callers["an operator's key"] as { Authorization: string };
  const key = encodeURIComponent(Authorization.replace("Bearer ", ""));
  const response = await api.request(`${ORIGIN}/v1/admin/sources?${name}=${key}`, {}, env());
  expect(response.status).toBe(401);
});

describe("a merchant's path", () => {
  const ask = (path: string, headers: HeadersInit) => api.request(`${ORIGIN}${path}`, { headers }, env());

  test.each(["shop%2D2", "shop-2", "shop%252D2", "..%2fshop-2", "shop-1%00", "SHOP-1", "shop-1%2f..%2fshop-2"])(
    "written as %s is not the merchant's own",
    async (id) => {
      const response = await ask(`/v1/merchants/${id}/report`, callers["the merchant's key"]);
      expect([403, 404]).toContain(response.status);
    },
  );

  test("that names no merchant there can be is nothing to an operator either", async () => {
    for (const id of ["shop 1", ".", "..", "%2e", "%2E%2e"]) {
      expect((await ask(`/v1/merchants/${id}/report`, callers["an operator's key"])).status).toBe(404);
    }
  });
});

test.each([
  ["PUT", "/v1/merchants/shop-1/metrics", 405, "GET, HEAD"],
  ["OPTIONS", "/v1/merchants/shop-1/query", 405, "POST"],
  ["PATCH", "/v1/merchants/shop-1/keys", 405, "GET, HEAD, POST"],
  ["GET", "/v1/merchants//report", 404, null],
  ["GET", "/v1/merchants/shop-1/query", 405, "POST"],
  ["PUT", "/v1/merchants/shop-1/numbers", 404, null],
])("%s %s is %s, with what is allowed", async (method, path, status, allow) => {
  const response = await api.request(`${ORIGIN}${path}`, { method }, env());
  expect([response.status, response.headers.get("Allow")]).toEqual([status, allow]);
});

test("a route that stands in no table answers nobody", async () => {
  const { Hono } = await import("hono");
  const { admit } = await import("./admit.ts");
  const app = new Hono<{ Bindings: ReturnType<typeof env> }>();
  app.use(admit({}));
  app.get("/v1/forgotten", (c) => c.text("numbers"));
  app.onError((_, c) => c.text("no", 500));
  const response = await app.request("/v1/forgotten", { headers: callers["an operator's key"] }, env());
  expect([response.status, await response.text()]).toEqual([500, "no"]);
});
