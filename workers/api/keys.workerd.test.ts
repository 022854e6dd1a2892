import { beforeAll, describe, expect, test } from "vitest";
import { parseKey } from "../directory/key.ts";
import { ENDED_KEYS_MAX, LIVE_KEYS_MAX, LIVE_KEYS_ROTATED_MAX } from "../directory/keys.ts";
import { addKey, addSource } from "../directory/test-directory.ts";
import { createdKeySchema, keySchema, keysSchema, OVERLAP_S_MAX, rotatedKeySchema } from "./key-schemas.ts";
import { openApi, type TestApi } from "./test-api.ts";

let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  api = await openApi();
  operator = await addKey(api.directory, "operator", "ops");
  await addSource(api.directory, "pos", null);
});

/** Another merchant for each test, with a key of its own that manages. */
async function newShop() {
  const id = `shop-${crypto.randomUUID()}`;
  return { id, path: `/v1/merchants/${id}/keys`, key: await addKey(api.directory, "merchant", id, { role: "manage" }) };
}
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
const created = async (response: Response) => createdKeySchema.strict().parse(await response.json());
const listed = async (path: string, as: typeof operator) =>
  keysSchema.strict().parse(await (await api.ask("GET", path, as)).json());

describe("a new key", () => {
  test("of each kind is shown once, speaks for its subject, and is stored as a hash alone", async () => {
    for (const [kind, subject] of [
      ["source", "pos"],
      ["merchant", "shop-1"],
      ["operator", "night-shift"],
    ] as const) {
      const response = await api.ask("POST", "/v1/admin/keys", operator, { kind, subject, name: "till 3" });
      expect([response.status, response.headers.get("Cache-Control")]).toEqual([201, "private, no-store"]);
      const { secret_key, ...key } = await created(response);
      expect(key).toMatchObject({ kind, subject, name: "till 3", state: "live", last_used_at: null });
      expect(secret_key.startsWith(`${key.prefix}_`)).toBe(true);
      const shown = await (await api.ask("GET", `/v1/admin/keys/${key.id}`, operator)).text();
      expect(keySchema.strict().parse(JSON.parse(shown))).toEqual(key);
      const stored = JSON.stringify(await api.directory.prepare("SELECT * FROM keys").all());
      expect(stored).not.toContain(parseKey(secret_key)?.secret);
    }
  });

  test("of a merchant's own making reads that merchant, and notes that it was used", async () => {
    const shop = await newShop();
    const { secret_key, id } = await created(await api.ask("POST", shop.path, shop.key));
    const own = { Authorization: `Bearer ${secret_key}` };
    expect((await api.ask("GET", shop.path, own)).status).toBe(200);
    expect((await api.ask("GET", "/v1/merchants/shop-1/keys", own)).status).toBe(403);
    const { keys } = await listed(shop.path, shop.key);
    const used = keys.find((key) => key.id === id)?.last_used_at ?? "";
    expect(Math.abs(Date.now() - Date.parse(used))).toBeLessThan(60_000);
  });

  test("of a merchant reads unless it is to manage, and only one that manages can make, rotate or revoke another", async () => {
    const shop = await newShop();
    const reading = await created(await api.ask("POST", shop.path, shop.key, { name: "till" }));
    const managing = await created(await api.ask("POST", shop.path, shop.key, { role: "manage" }));
    const byOperator = { kind: "merchant", subject: shop.id };
    const given = await created(await api.ask("POST", "/v1/admin/keys", operator, byOperator));
    const trusted = await created(await api.ask("POST", "/v1/admin/keys", operator, { ...byOperator, role: "manage" }));
    expect([reading, managing, given, trusted].map(({ role }) => role)).toEqual(["read", "manage", "read", "manage"]);
    const calls = (of: string) =>
      [
        ["POST", shop.path, { role: "read" }, 201],
        ["POST", `${shop.path}/${of}/rotate`, { overlap_s: 0 }, 201],
        ["DELETE", `${shop.path}/${of}`, undefined, 200],
      ] as const;
    for (const { secret_key } of [reading, given]) {
      const as = { Authorization: `Bearer ${secret_key}` };
      expect((await api.ask("GET", shop.path, as)).status).toBe(200);
      for (const [method, path, body] of calls(shop.key.id)) {
        const refused = await api.ask(method, path, as, body);
        expect([refused.status, await refused.json()]).toMatchObject([
          403,
          { code: "forbidden", detail: expect.stringContaining("role manage") },
        ]);
      }
    }
    for (const { secret_key } of [managing, trusted]) {
      const other = await addKey(api.directory, "merchant", shop.id);
      const as = { Authorization: `Bearer ${secret_key}` };
      for (const [method, path, body, status] of calls(other.id)) {
        expect((await api.ask(method, path, as, body)).status).toBe(status);
      }
    }
  });

  test("may expire, but not have expired", async () => {
    const shop = await newShop();
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    expect(await created(await api.ask("POST", shop.path, shop.key, { expires_at }))).toMatchObject({ expires_at });
    const past = await api.ask("POST", shop.path, shop.key, { expires_at: "2020-01-01T00:00:00Z" });
    expect([past.status, await codeOf(past)]).toEqual([422, "already_expired"]);
  });

  test("is one too many once there are so many that hold", async () => {
    const shop = await newShop();
    for (let n = 1; n < LIVE_KEYS_MAX; n++) await addKey(api.directory, "merchant", shop.id);
    const refused = await api.ask("POST", shop.path, shop.key);
    expect([refused.status, await codeOf(refused)]).toEqual([409, "too_many_keys"]);
  });

  test("is one of so many however many are asked for at once, and rotating makes no more than twice as many", async () => {
    const shop = await newShop();
    const wishes = Array.from({ length: LIVE_KEYS_MAX + 3 }, () => api.ask("POST", shop.path, shop.key));
    const made = (await Promise.all(wishes)).filter(({ status }) => status === 201);
    expect(made).toHaveLength(LIVE_KEYS_MAX - 1);
    const statuses: number[] = [];
    let { id } = shop.key;
    for (let n = 0; n <= LIVE_KEYS_ROTATED_MAX - LIVE_KEYS_MAX; n++) {
      const rotated = await api.ask("POST", `${shop.path}/${id}/rotate`, operator);
      statuses.push(rotated.status);
      if (rotated.ok) ({ id } = rotatedKeySchema.strict().parse(await rotated.json()).key);
    }
    expect([statuses.filter((status) => status === 201).length, statuses.at(-1)]).toEqual([20, 409]);
  });

  test("drops the oldest of those that have ended", async () => {
    const shop = await newShop();
    for (let n = 0; n <= ENDED_KEYS_MAX; n++) await addKey(api.directory, "merchant", shop.id, { revokedAt: 1 });
    await api.ask("POST", shop.path, shop.key);
    const { keys } = await listed(`${shop.path}?limit=1000`, shop.key);
    expect(keys.filter(({ state }) => state === "revoked").length).toBe(ENDED_KEYS_MAX);
    expect(keys.filter(({ state }) => state === "live").length).toBe(2);
  });

  test.each<[string, unknown, number, string]>([
    ["of no kind", { kind: "admin", subject: "x" }, 422, "invalid_body"],
    ["of nobody", { kind: "operator" }, 422, "invalid_body"],
    ["of no role", { kind: "merchant", subject: "x", role: "admin" }, 422, "invalid_body"],
    ["of another kind with a role", { kind: "operator", subject: "x", role: "read" }, 422, "invalid_body"],
    ["of a source that is not there", { kind: "source", subject: "nowhere" }, 422, "no_such_source"],
    ["with something else", { kind: "operator", subject: "x", secret: "mine" }, 422, "invalid_body"],
    ["without JSON", "kind=operator", 400, "malformed_json"],
    ["of a megabyte", `"${"x".repeat(1_100_000)}"`, 413, "body_too_large"],
  ])("%s is refused", async (_, body, status, code) => {
    const response = await api.ask("POST", "/v1/admin/keys", operator, body);
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });
});

describe("a rotation", () => {
  test("gives a new key, and lets the old one go on for the overlap", async () => {
    const shop = await newShop();
    const response = await api.ask("POST", `${shop.path}/${shop.key.id}/rotate`, shop.key, { overlap_s: 3_600 });
    expect(response.status).toBe(201);
    const { key, old_key } = rotatedKeySchema.strict().parse(await response.json());
    expect(old_key).toMatchObject({ id: shop.key.id, replaced_by: key.id, state: "live" });
    expect(Date.parse(old_key.expires_at ?? "") - Date.parse(key.created_at)).toBe(3_600_000);
    expect(key).toMatchObject({ subject: shop.id, role: "manage", expires_at: null, state: "live" });
    for (const token of [shop.key.token, key.secret_key]) {
      expect((await api.ask("GET", shop.path, { Authorization: `Bearer ${token}` })).status).toBe(200);
    }
  });

  test("is a day long unless it is said, ends the old key at once if it is nothing, and never lengthens a life", async () => {
    const shop = await newShop();
    const day = await api.ask("POST", `${shop.path}/${shop.key.id}/rotate`, operator);
    const { old_key, key } = rotatedKeySchema.parse(await day.json());
    expect(Date.parse(old_key.expires_at ?? "") - Date.parse(key.created_at)).toBe(86_400_000);
    const none = await api.ask("POST", `/v1/admin/keys/${key.id}/rotate`, operator, { overlap_s: 0 });
    expect(rotatedKeySchema.parse(await none.json()).old_key.state).toBe("expired");
    const expiresAt = Date.now() + 60_000;
    const short = await addKey(api.directory, "merchant", shop.id, { expiresAt });
    const kept = await api.ask("POST", `${shop.path}/${short.id}/rotate`, operator);
    expect(Date.parse(rotatedKeySchema.parse(await kept.json()).old_key.expires_at ?? "")).toBe(expiresAt);
  });

  test("of one key is made once, however many ask at the same time", async () => {
    const shop = await newShop();
    const path = `${shop.path}/${shop.key.id}/rotate`;
    const answers = await Promise.all([1, 2, 3].map(() => api.ask("POST", path, operator)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const again = await api.ask("POST", path, operator);
    expect([again.status, await codeOf(again)]).toEqual([409, "already_rotated"]);
    expect((await listed(shop.path, shop.key)).keys.length).toBe(2);
  });

  test("keeps the role, and so makes no key that may more", async () => {
    const shop = await newShop();
    const reading = await addKey(api.directory, "merchant", shop.id);
    const rotated = await api.ask("POST", `${shop.path}/${reading.id}/rotate`, shop.key);
    expect(rotatedKeySchema.parse(await rotated.json()).key.role).toBe("read");
    const asked = await api.ask("POST", `${shop.path}/${reading.id}/rotate`, shop.key, { role: "manage" });
    expect([asked.status, await codeOf(asked)]).toEqual([422, "invalid_body"]);
  });

  test("of a key that has ended, of another merchant's, or over too long a time is refused", async () => {
    const shop = await newShop();
    const revoked = await addKey(api.directory, "merchant", shop.id, { revokedAt: 1 });
    const other = await addKey(api.directory, "merchant", "shop-1");
    const rotate = (id: string, body?: unknown) => api.ask("POST", `${shop.path}/${id}/rotate`, shop.key, body);
    expect(await codeOf(await rotate(revoked.id))).toBe("key_ended");
    expect(await codeOf(await rotate(other.id))).toBe("no_such_key");
    expect(await codeOf(await rotate(operator.id))).toBe("no_such_key");
    const long = await rotate(shop.key.id, { overlap_s: OVERLAP_S_MAX + 1 });
    expect([long.status, await long.json()]).toMatchObject([422, { parameter: "overlap_s" }]);
  });
});

describe("a revocation", () => {
  test("ends a key that no isolate has seen yet at once, and is the same when repeated", async () => {
    const shop = await newShop();
    const leaked = await addKey(api.directory, "merchant", shop.id);
    const revoke = async () =>
      keySchema.strict().parse(await (await api.ask("DELETE", `${shop.path}/${leaked.id}`, shop.key)).json());
    const first = await revoke();
    expect(first.state).toBe("revoked");
    expect(await revoke()).toEqual(first);
    expect((await api.ask("GET", shop.path, leaked)).status).toBe(401);
  });

  test("of another merchant's key finds none", async () => {
    const shop = await newShop();
    const other = await addKey(api.directory, "merchant", "shop-1");
    expect((await api.ask("DELETE", `${shop.path}/${other.id}`, shop.key)).status).toBe(404);
    expect((await api.ask("GET", "/v1/merchants/shop-1/keys", other)).status).toBe(200);
  });
});

describe("the list", () => {
  test("has the newest first, in pages, each key once", async () => {
    const shop = await newShop();
    for (let n = 0; n < 5; n++) await addKey(api.directory, "merchant", shop.id);
    const latest = await created(await api.ask("POST", shop.path, shop.key));
    const seen: string[] = [];
    let cursor = "";
    for (let pages = 0; pages < 4; pages++) {
      const { keys, next_cursor } = await listed(`${shop.path}?limit=3${cursor}`, shop.key);
      seen.push(...keys.map(({ id }) => id));
      if (next_cursor === null) break;
      cursor = `&cursor=${next_cursor}`;
    }
    expect([seen.length, new Set(seen).size, seen[0]]).toEqual([7, 7, latest.id]);
  });

  test("of an operator is of a kind, and of a subject if one is named", async () => {
    const shop = await newShop();
    const { keys } = await listed(`/v1/admin/keys?kind=merchant&subject=${shop.id}`, operator);
    expect(keys.map(({ id }) => id)).toEqual([shop.key.id]);
    const sources = await listed("/v1/admin/keys?kind=source", operator);
    expect(sources.keys.every(({ kind }) => kind === "source")).toBe(true);
  });

  test.each([
    ["?kind=admin", "kind"],
    ["", "kind"],
    ["?kind=source&limit=0", "limit"],
    ["?kind=source&limit=1001", "limit"],
    ["?kind=source&cursor=bm9uc2Vuc2U", "cursor"],
    ["?kind=source&cursor=%00", "cursor"],
    ["?kind=source&page=2", "page"],
  ])("with %s is refused for its %s", async (query, parameter) => {
    const response = await api.ask("GET", `/v1/admin/keys${query}`, operator);
    expect([response.status, await response.json()]).toMatchObject([400, { parameter }]);
  });
});
