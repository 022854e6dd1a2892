import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { REFUSALS_PER_MINUTE_MAX } from "../access/logged-call.ts";
import { addLogEntry, LOG_KEPT_DAYS, listLog, type NewLogEntry, pruneLog } from "../directory/admin-log.ts";
import { addKey } from "../directory/test-directory.ts";
import { merchantSchema, merchantsSchema } from "./admin-merchants.ts";
import { logSchema } from "./log-schema.ts";
import { sourceSchema, sourcesSchema } from "./source-schema.ts";
import { apiOver, openApi, type TestApi } from "./test-api.ts";

let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  api = await openApi();
  operator = await addKey(api.directory, "operator", "ops");
});

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => void vi.useRealTimers());

const ask = (method: string, path: string, body?: unknown) => api.ask(method, `/v1/admin/${path}`, operator, body);
const problemOf = async (response: Response) => (await response.json()) as { code: string; parameter?: string };

describe("a source", () => {
  test("is created, listed, limited to merchants and let loose again", async () => {
    const created = await ask("POST", "sources", { id: "pos", name: "Till" });
    expect(created.status).toBe(201);
    expect(sourceSchema.strict().parse(await created.json())).toMatchObject({ id: "pos", merchants: null });
    const limited = await ask("PATCH", "sources/pos", { merchants: ["shop-1", "constructor"] });
    expect(await limited.json()).toMatchObject({ name: "Till", merchants: ["shop-1", "constructor"] });
    const renamed = await ask("PATCH", "sources/pos", { name: "Till 2" });
    expect(await renamed.json()).toMatchObject({ name: "Till 2", merchants: ["shop-1", "constructor"] });
    await ask("PATCH", "sources/pos", { merchants: null });
    expect(await (await ask("GET", "sources/pos")).json()).toMatchObject({ name: "Till 2", merchants: null });
    const { sources } = sourcesSchema.strict().parse(await (await ask("GET", "sources")).json());
    expect(sources.map(({ id }) => id)).toEqual(["pos"]);
  });

  test("has a mapping from rows to payments, which stays until it is taken away", async () => {
    const fields = { event_id: "id", merchant_id: "shop", type: { constant: "payment" }, occurred_at: "at" };
    const rule = { fields: { ...fields, amount: "amount", currency: "currency", payment_method: "method" } };
    const mapping = { tables: { "public.payments": rule } };
    const created = await ask("POST", "sources", { id: "orders-db", name: "Orders", mapping });
    expect([created.status, await created.json()]).toMatchObject([
      201,
      { mapping: { ...mapping, rejected: "refuse" } },
    ]);
    const renamed = await ask("PATCH", "sources/orders-db", { name: "Orders 2" });
    expect(await renamed.json()).toMatchObject({ mapping });
    const taken = await ask("PATCH", "sources/orders-db", { mapping: null });
    expect(await taken.json()).toMatchObject({ mapping: null });
    const wrong = await ask("PATCH", "sources/orders-db", { mapping: { tables: { t: { fields } } } });
    expect([wrong.status, await problemOf(wrong)]).toMatchObject([422, { code: "invalid_body" }]);
  });

  test.each<[string, string, string, unknown, number, string]>([
    ["that is there already", "POST", "sources", { id: "pos", name: "Other" }, 409, "source_exists"],
    ["that no address can name", "POST", "sources", { id: "..", name: "x" }, 422, "invalid_body"],
    ["without a name", "POST", "sources", { id: "x" }, 422, "invalid_body"],
    ["of no merchants", "POST", "sources", { id: "x", name: "x", merchants: [] }, 422, "invalid_body"],
    ["of what is no merchant", "POST", "sources", { id: "x", name: "x", merchants: ["a b"] }, 422, "invalid_body"],
    ["of too many", "POST", "sources", { id: "x", name: "x", merchants: Array(1_001).fill("a") }, 422, "invalid_body"],
    ["that is not there", "PATCH", "sources/none", { name: "x" }, 404, "no_such_source"],
    ["that is not there", "GET", "sources/none", undefined, 404, "no_such_source"],
  ])("%s is refused (%s %s)", async (_, method, path, body, status, code) => {
    const response = await ask(method, path, body);
    expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
  });
});

describe("a merchant", () => {
  const shop = { name: "Café Hoshino", timezone: "asia/tokyo", currency: "JPY" };

  test("is put, put again, and read by operators and by itself", async () => {
    const put = await ask("PUT", "merchants/shop-1", shop);
    expect(put.status).toBe(201);
    const merchant = merchantSchema.strict().parse(await put.json());
    expect(merchant).toMatchObject({ id: "shop-1", timezone: "Asia/Tokyo" });
    const again = await ask("PUT", "merchants/shop-1", { ...shop, currency: "USD" });
    expect([again.status, await again.json()]).toEqual([200, { ...merchant, currency: "USD" }]);
    const own = await addKey(api.directory, "merchant", "shop-1");
    for (const response of [await ask("GET", "merchants/shop-1"), await api.ask("GET", "/v1/merchants/shop-1", own)]) {
      expect(await response.json()).toEqual({ ...merchant, currency: "USD" });
    }
    expect((await ask("GET", "merchants/shop-2")).status).toBe(404);
  });

  test("is in the list once, whatever the size of its pages", async () => {
    for (const n of [2, 3, 4, 5]) await ask("PUT", `merchants/shop-${n}`, shop);
    const seen: string[] = [];
    for (let cursor = ""; seen.length < 20; ) {
      const page = merchantsSchema.strict().parse(await (await ask("GET", `merchants?limit=2${cursor}`)).json());
      seen.push(...page.merchants.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(seen).toEqual(["shop-1", "shop-2", "shop-3", "shop-4", "shop-5"]);
  });

  test("is found by how its id or its name begins, and no wildcard finds all", async () => {
    await ask("PUT", "merchants/bakery-1", { ...shop, name: "Shoppers' Bread" });
    await ask("PUT", "merchants/bakery-2", { ...shop, name: "100 % Bread" });
    const found = async (q: string) =>
      merchantsSchema
        .parse(await (await ask("GET", `merchants?q=${encodeURIComponent(q)}&limit=50`)).json())
        .merchants.map(({ id }) => id);
    expect(await found("shop")).toEqual(["bakery-1", "shop-1", "shop-2", "shop-3", "shop-4", "shop-5"]);
    expect(await found("café h")).toEqual(["shop-1", "shop-2", "shop-3", "shop-4", "shop-5"]);
    expect(await found("shop-3")).toEqual(["shop-3"]);
    expect(await found("100 %")).toEqual(["bakery-2"]);
    expect(await found("%")).toEqual([]);
    const long = await ask("GET", `merchants?q=${"x".repeat(201)}`);
    expect([long.status, await problemOf(long)]).toMatchObject([400, { code: "invalid_parameter", parameter: "q" }]);
  });

  test.each<[string, string, object, string]>([
    ["an unknown zone", "merchants/x", { ...shop, timezone: "PST" }, "timezone"],
    ["an unknown currency", "merchants/x", { ...shop, currency: "YEN" }, "currency"],
    ["no name", "merchants/x", { ...shop, name: " " }, "name"],
    ["an id that is none", "merchants/a%20b", shop, "merchant"],
  ])("with %s is refused", async (_, path, body, parameter) => {
    const response = await ask("PUT", path, body);
    expect([response.status, (await problemOf(response)).parameter]).toEqual([422, parameter]);
  });
});

const NIGHT_SHOP = { name: "Night", timezone: "UTC", currency: "JPY" };

describe("the log", () => {
  const newest = async (count: number) => {
    const { entries } = logSchema.strict().parse(await (await ask("GET", `log?limit=${count + 1}`)).json());
    // The first is of the call that asks.
    return entries.slice(1);
  };

  test("has who did what with what outcome, and the answer's request id", async () => {
    const response = await ask("PUT", "merchants/shop-9?x=1", { name: "" });
    const [entry] = await newest(1);
    expect(entry).toMatchObject({
      who: { kind: "operator", subject: "ops", key_id: operator.id, session: false },
      method: "PUT",
      route: "/v1/admin/merchants/:merchant",
      parameters: { path: "/v1/admin/merchants/shop-9", query: { x: ["1"] }, body: { name: "" } },
      status: 400,
      request_id: response.headers.get("X-Request-Id"),
    });
  });

  test("has key-changing calls of merchants, without any secret, and not their reading", async () => {
    const own = await addKey(api.directory, "merchant", "shop-1", { role: "manage" });
    await api.ask("GET", "/v1/merchants/shop-1/keys", own);
    const body = { name: own.token, password: "hunter2" };
    await api.ask("POST", "/v1/merchants/shop-1/keys", own, body);
    const [entry] = await newest(1);
    expect(entry).toMatchObject({
      who: { kind: "merchant", subject: "shop-1" },
      route: "/v1/merchants/:merchant/keys",
      parameters: { body: { name: `tally_mch_${own.id}`, password: "[left out]" } },
      status: 422,
    });
    const stored = JSON.stringify(await api.directory.prepare("SELECT parameters FROM admin_log").all());
    expect(stored).not.toMatch(/hunter2|_[A-Za-z0-9_-]{43}/);
  });

  test("has calls that were refused: of somebody who may not, and of nobody", async () => {
    const own = await addKey(api.directory, "merchant", "shop-1");
    await api.ask("POST", "/v1/admin/replays", own, { from: 1 });
    await api.ask("DELETE", "/v1/merchants/shop-1/keys/none", {}, { password: "hunter2" });
    const [nobody, merchant] = await newest(2);
    expect(merchant).toMatchObject({ who: { subject: "shop-1" }, route: "/v1/admin/replays", status: 403 });
    expect(nobody).toMatchObject({ who: null, status: 401, parameters: { path: "/v1/merchants/shop-1/keys/none" } });
  });

  test("is searched by method, by who called, and by key, in pages", async () => {
    const other = await addKey(api.directory, "operator", "night-shift");
    for (const n of [1, 2, 3]) await api.ask("PUT", `/v1/admin/merchants/night-${n}`, other, NIGHT_SHOP);
    await api.ask("GET", "/v1/admin/topology", other);
    const found = async (filter: string) => {
      const seen: string[] = [];
      for (let cursor = ""; ; ) {
        const answer = await ask("GET", `log?limit=2&${filter}${cursor}`);
        const { entries, next_cursor } = logSchema.strict().parse(await answer.json());
        seen.push(...entries.map(({ method, who }) => `${method} ${who?.subject}`));
        if (next_cursor === null) return seen;
        cursor = `&cursor=${next_cursor}`;
      }
    };
    const puts = Array(3).fill("PUT night-shift");
    expect(await found(`key=${other.id}`)).toEqual(["GET night-shift", ...puts]);
    expect(await found("by=night-shift&methods=put,DELETE")).toEqual(puts);
    expect(new Set(await found("methods=GET")).has("PUT night-shift")).toBe(false);
    const wrong = await ask("GET", "log?methods=PUT,FETCH");
    expect([wrong.status, await problemOf(wrong)]).toMatchObject([400, { parameter: "methods" }]);
  });

  test("is not filled by a key that goes on asking for what it may not, and has what others do meanwhile", async () => {
    const own = await addKey(api.directory, "merchant", "shop-1");
    const entries = async () => (await listLog(api.directory, undefined, 10_000)).length;
    const before = await entries();
    // A minute that ended meanwhile would have as many again.
    vi.useFakeTimers({ toFake: ["Date"] });
    for (let n = 0; n < 2 * REFUSALS_PER_MINUTE_MAX; n++) await api.ask("GET", "/v1/admin/topology", own);
    expect((await entries()) - before).toBe(REFUSALS_PER_MINUTE_MAX);
    await ask("GET", "topology");
    expect((await newest(1))[0]).toMatchObject({ who: { kind: "operator" }, status: 200 });
  });

  test("keeps of a body that is no JSON, or endless, that it was so", async () => {
    await ask("POST", "sources", "{nope hunter2");
    expect((await newest(1))[0]?.parameters).toMatchObject({ body: { not_json: true } });
    await ask("POST", "sources", { id: "x".repeat(9_000) });
    const [entry] = await newest(1);
    expect(JSON.stringify(entry?.parameters).length).toBeLessThan(5_000);
  });

  test("and the answer show a key by its id alone, wherever in the call it was put", async () => {
    const secret = operator.token.slice(-43);
    const calls: [string, string, unknown?][] = [
      ["GET", `keys/${operator.token}`],
      ["POST", `keys/${operator.token}/rotate`],
      ["GET", `sources?cursor=${operator.token}&${operator.token}=1`],
      ["POST", "sources", { id: operator.token, [operator.token]: operator.token }],
      ["POST", "keys", `{"name": "${operator.token}`],
      ["GET", `nowhere/${operator.token}`],
    ];
    for (const [method, path, body] of calls) {
      const text = await (await ask(method, path, body)).text();
      expect([path.slice(0, 8), text.includes(secret)]).toEqual([path.slice(0, 8), false]);
    }
    const stored = JSON.stringify(await api.directory.prepare("SELECT * FROM admin_log").all());
    expect(stored).toContain(`keys/tally_opr_${operator.id}`);
    expect(stored).not.toContain(secret);
  });

  test("takes a body of any depth, and keeps its beginning", async () => {
    const nested = `{"id":${'{"a":'.repeat(20_000)}"tally_opr_0123456789abcdef_secret"${"}".repeat(20_000)}}`;
    const response = await ask("POST", "sources", nested);
    expect([response.status, await problemOf(response)]).toMatchObject([
      422,
      { code: "invalid_body", parameter: "id" },
    ]);
    const kept = JSON.stringify((await newest(1))[0]?.parameters);
    expect(kept).toContain("[too deep]");
    expect(kept).not.toContain("secret");
  });

  test("of a directory that is away lets nothing be done; one that cannot be completed takes no answer back", async () => {
    const failing = (failed: RegExp): D1Database =>
      new Proxy(api.directory, {
        get: (target, name) =>
          name === "prepare"
            ? (sql: string) => {
                if (failed.test(sql)) throw new Error("D1 is away");
                return target.prepare(sql);
              }
            : Reflect.get(target, name),
      });
    const path = "/v1/admin/merchants/shop-log";
    const body = { name: "x", timezone: "UTC", currency: "JPY" };
    const before = apiOver(failing(/insert into "admin_log"/));
    expect((await before.ask("PUT", path, operator, body)).status).toBe(503);
    expect((await ask("GET", "merchants/shop-log")).status).toBe(404);
    const after = apiOver(failing(/update "admin_log"/));
    expect((await after.ask("PUT", path, operator, body)).status).toBe(201);
    const entry = (await newest(3)).find(({ method }) => method === "PUT");
    expect(entry).toMatchObject({ parameters: { path }, status: null, finished_at: null });
  });

  test("has so many entries of each kind of caller: what a merchant does pushes out nothing that an operator did", async () => {
    const { id: _, ...entry } = (await listLog(api.directory, undefined, 1))[0] ?? { id: 0 };
    const add = (kind: "operator" | "merchant" | null, subject: string) =>
      addLogEntry(api.directory, { ...(entry as NewLogEntry), kind, subject });
    const kept = await add("operator", "pruned-ops");
    for (let n = 0; n < 6; n++) await add("merchant", `pruned-${n}`);
    await add(null, "pruned-nobody");
    await pruneLog(api.directory, Date.now(), [
      ["merchant", 2],
      [null, 50],
    ]);
    const left = (await listLog(api.directory, undefined, 1_000)).filter(({ subject }) =>
      subject?.startsWith("pruned"),
    );
    expect(left.map(({ subject }) => subject)).toEqual(["pruned-nobody", "pruned-5", "pruned-4", "pruned-ops"]);
    expect(left.at(-1)?.id).toBe(kept);
  });

  test("takes so many of a merchant's changes in a minute, whatever keys they come with, and all of an operator's", async () => {
    const keys = await Promise.all([1, 2].map(() => addKey(api.directory, "merchant", "busy", { role: "manage" })));
    const asked: string[] = [];
    const ADDRESS_LIMITER = {
      limit: async ({ key }: { key: string }) => ({ success: !key.startsWith("changes:") || asked.push(key) <= 3 }),
    };
    const limited = apiOver(api.directory, { ADDRESS_LIMITER, ADDRESS_LIMIT: "600/60s" });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) {
      const key = keys[n % 2] as (typeof keys)[number];
      statuses.push((await limited.ask("DELETE", "/v1/merchants/busy/keys/none", key)).status);
    }
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
    expect(new Set(asked)).toEqual(new Set(["changes:merchant:busy"]));
    expect((await limited.ask("GET", "/v1/merchants/busy/keys", keys[0] as (typeof keys)[number])).status).toBe(200);
    expect((await limited.ask("DELETE", "/v1/admin/keys/none", operator)).status).toBe(404);
  });

  test("is kept for so long: a pass removes what is older, from the oldest on", async () => {
    const nowMs = Date.now();
    const [latest] = await listLog(api.directory, undefined, 1);
    if (latest === undefined) throw new Error("no entry");
    await api.directory.exec("UPDATE admin_log SET at = 0 WHERE id <= 3");
    expect(await pruneLog(api.directory, nowMs)).toBe(3);
    const { id: _, ...entry } = latest;
    await addLogEntry(api.directory, { ...entry, at: nowMs });
    expect(await pruneLog(api.directory, nowMs + LOG_KEPT_DAYS * 86_400_000 + 1)).toBeGreaterThan(3);
    expect(await listLog(api.directory, undefined, 10)).toEqual([]);
  });
});

describe("what operators list", () => {
  beforeAll(async () => {
    const at = Date.UTC(2026, 10, 1);
    for (const n of [1, 2, 3, 4, 5]) {
      await api.directory.exec(
        `INSERT INTO dead_letters (id, queue, reason, attempts, body_key, body_bytes, sent_at, dead_at) VALUES ('letter-${n}', 'tally-raw', 'odd', 3, 'dead/${n}', 6, ${at}, ${at + (n % 2)})`,
      );
      await api.directory.exec(
        `INSERT INTO replays (id, from_ms, to_ms, dry_run, state, next_ms, created_at, updated_at) VALUES ('replay-${n}', 0, 3600000, 1, 'done', 3600000, ${at + (n % 2)}, ${at})`,
      );
      if (n > 1) await api.directory.exec(`INSERT INTO topology_epochs VALUES (${n}, ${at + n * 600_000}, 2, '{}')`);
    }
  });

  test.each([
    ["dead-letters", "dead_letters", ["letter-5", "letter-3", "letter-1", "letter-4", "letter-2"]],
    ["replays", "replays", ["replay-5", "replay-3", "replay-1", "replay-4", "replay-2"]],
    ["topology", "epochs", [1, 2, 3, 4, 5]],
  ])("%s come in pages, each once and in their order, those of the same moment too", async (path, name, ids) => {
    for (const limit of [2, 5, 1_000]) {
      const seen: unknown[] = [];
      let cursor: string | null = "";
      for (let pages = 0; cursor !== null && pages < 5; pages++) {
        const response = await ask("GET", `${path}?limit=${limit}${cursor}`);
        const page = (await response.json()) as Record<string, readonly { readonly id: unknown }[]>;
        seen.push(...(page[name] ?? []).map(({ id }) => id));
        const next = page.next_cursor as unknown as string | null;
        cursor = next === null ? null : `&cursor=${next}`;
      }
      expect([seen, cursor]).toEqual([ids, null]);
    }
    for (const [query, parameter] of [
      ["limit=0", "limit"],
      ["cursor=bm9uc2Vuc2U", "cursor"],
      ["since=now", "since"],
    ]) {
      const refused = await ask("GET", `${path}?${query}`);
      expect([refused.status, await problemOf(refused)]).toMatchObject([400, { parameter }]);
    }
  });
});
