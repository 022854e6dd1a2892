import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { noticeSchema } from "../alerts/notice.ts";
import { ALERTS_MAX } from "../alerts/rule.ts";
import { addKey, openDirectory } from "../directory/test-directory.ts";
import {
  alertSchema,
  alertsSchema,
  alertWithDeliveriesSchema,
  createdAlertSchema,
  deliverySchema,
} from "./alert-schemas.ts";
import { apiOver, type TestApi } from "./test-api.ts";

let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  api = apiOver(await openDirectory(), { ALERT_KEY: "a1".repeat(32) });
  operator = await addKey(api.directory, "operator", "ops");
});
beforeEach(() => void vi.restoreAllMocks());

const OPEN = [{ from: "09:00", to: "18:00" }];
const WISH = {
  name: "No sales",
  rule: { kind: "no_sales", minutes: 60, opening_hours: { monday: OPEN, friday: [{ from: "18:00", to: "02:00" }] } },
  webhook: { url: "https://example.com/tally?token=abc" },
};

/** Another merchant for each test, with a key of its own. */
async function newShop() {
  const id = `shop-${crypto.randomUUID()}`;
  return {
    id,
    path: `/v1/merchants/${id}/alerts`,
    key: await addKey(api.directory, "merchant", id, { role: "manage" }),
  };
}
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
type Shop = Awaited<ReturnType<typeof newShop>>;
const create = async ({ path, key }: Pick<Shop, "path" | "key">, over: object = {}) =>
  createdAlertSchema.strict().parse(await json(await api.ask("POST", path, key, { ...WISH, ...over })));
const shown = async ({ path, key }: Pick<Shop, "path" | "key">, id: string) =>
  alertWithDeliveriesSchema.strict().parse(await json(await api.ask("GET", `${path}/${id}`, key)));

describe("an alert", () => {
  test("is created with a secret that is shown this once, and kept sealed", async () => {
    const shop = await newShop();
    const { secret, ...alert } = await create(shop);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(alert).toMatchObject({
      merchant_id: shop.id,
      enabled: true,
      state: "quiet",
      checked: null,
      remind_every_minutes: null,
    });
    const { alerts, limit } = alertsSchema.strict().parse(await json(await api.ask("GET", shop.path, shop.key)));
    expect([alerts, limit]).toEqual([[alert], ALERTS_MAX]);
    expect(await shown(shop, alert.id)).toEqual({ ...alert, deliveries: [] });
    const stored = JSON.stringify(await api.directory.prepare("SELECT * FROM alerts").all());
    expect(stored).not.toContain(secret.slice(6));
    const logged = JSON.stringify(await api.directory.prepare("SELECT * FROM admin_log").all());
    expect(logged).toContain("https://example.com/…");
    expect(logged).not.toContain("token=abc");
  });

  test("shows its address to whoever may change it; to whoever reads, where it leads and no more", async () => {
    const shop = await newShop();
    const { id } = await create(shop);
    const reader = { path: shop.path, key: await addKey(api.directory, "merchant", shop.id, { role: "read" }) };
    const asReader = [
      await (await api.ask("GET", reader.path, reader.key)).text(),
      await (await api.ask("GET", `${reader.path}/${id}`, reader.key)).text(),
    ];
    for (const text of asReader)
      expect([text.includes("https://example.com/…"), text.includes("token=")]).toEqual([true, false]);
    for (const key of [shop.key, operator]) {
      expect((await shown({ path: shop.path, key }, id)).webhook.url).toBe(WISH.webhook.url);
    }
  });

  test("is one of a limited number", async () => {
    const shop = await newShop();
    const answers = await Promise.all(
      Array.from({ length: ALERTS_MAX + 3 }, () => api.ask("POST", shop.path, shop.key, WISH)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(ALERTS_MAX);
    expect(await json(answers.find(({ status }) => status === 409) as Response)).toMatchObject({
      code: "too_many_alerts",
    });
  });

  test("is its merchant's alone, and operators' are nobody else's", async () => {
    const [mine, other] = [await newShop(), await newShop()];
    const { id } = await create(mine);
    const ofOperators = { path: "/v1/admin/alerts", key: operator };
    const theirs = await create(ofOperators, { rule: { kind: "freshness" } });
    expect(theirs).toMatchObject({ merchant_id: null, rule: { kind: "freshness", minutes: 15 } });
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/rotate"],
      ["POST", "/test"],
    ] as const) {
      for (const [at, as, which] of [
        [other.path, other.key, id],
        [mine.path, mine.key, theirs.id],
        [ofOperators.path, operator, id],
      ] as const) {
        const answer = await api.ask(method, `${at}/${which}${path}`, as, method === "GET" ? undefined : {});
        expect([answer.status, (await json(answer)).code]).toEqual([404, "no_such_alert"]);
      }
    }
    expect((await shown(mine, id)).name).toBe("No sales");
  });

  test("is changed in what is given, and deleted", async () => {
    const shop = await newShop();
    const { id, secret: _, ...before } = await create(shop);
    const changed = await json(
      await api.ask("PATCH", `${shop.path}/${id}`, shop.key, { name: "Quiet", remind_every_minutes: 60 }),
    );
    expect(alertSchema.strict().parse(changed)).toEqual({
      ...before,
      id,
      name: "Quiet",
      remind_every_minutes: 60,
      updated_at: changed.updated_at,
    });
    const off = await json(
      await api.ask("PATCH", `${shop.path}/${id}`, shop.key, {
        enabled: false,
        webhook: { url: "https://example.org/" },
      }),
    );
    expect(off).toMatchObject({ enabled: false, webhook: { url: "https://example.org/" }, name: "Quiet" });
    expect((await api.ask("DELETE", `${shop.path}/${id}`, shop.key)).status).toBe(204);
    expect((await api.ask("GET", `${shop.path}/${id}`, shop.key)).status).toBe(404);
  });

  test("that fires is resolved by another rule, and whoever was told is told", async () => {
    const shop = await newShop();
    const { id } = await create(shop);
    await api.directory.prepare("UPDATE alerts SET firing_since = 1000 WHERE id = ?").bind(id).run();
    const rule = { ...WISH.rule, minutes: 90 };
    await api.ask("PATCH", `${shop.path}/${id}`, shop.key, { rule });
    const { state, deliveries } = await shown(shop, id);
    expect([state, deliveries]).toMatchObject([
      "quiet",
      [{ id: `msg_${id}-rs-resolved`, type: "alert.resolved", state: "pending" }],
    ]);
    const body = await api.directory
      .prepare("SELECT body FROM alert_deliveries WHERE alert_id = ?")
      .bind(id)
      .first<string>("body");
    expect(noticeSchema.parse(JSON.parse(body ?? "")).data).toMatchObject({ reason: "changed", incident: `${id}-rs` });
  });

  test.each<[string, object, string]>([
    ["a rule of operators", { rule: { kind: "dead_letters" } }, "rule.kind"],
    [
      "a gap that no day has room for",
      { rule: { kind: "no_sales", minutes: 600, opening_hours: { monday: OPEN } } },
      "rule.minutes",
    ],
    ["no opening hours", { rule: { kind: "no_sales", minutes: 60, opening_hours: {} } }, "rule.minutes"],
    [
      "a time that is none",
      { rule: { kind: "no_sales", minutes: 60, opening_hours: { monday: [{ from: "9:00", to: "25:00" }] } } },
      "rule.opening_hours.monday.0.from",
    ],
    ["a percentage above all", { rule: { kind: "below_baseline", figure: "net", percent: 100 } }, "rule.percent"],
    [
      "a currency that is none",
      { rule: { kind: "below_baseline", figure: "net", percent: 50, currency: "XXY" } },
      "rule.currency",
    ],
    ["an address within", { webhook: { url: "https://10.0.0.1/" } }, "webhook.url"],
    ["reminders without end", { remind_every_minutes: 1 }, "remind_every_minutes"],
    ["a member too many", { colour: "red" }, ""],
  ])("with %s is refused, and it says where", async (_, over, parameter) => {
    const shop = await newShop();
    const answer = await api.ask("POST", shop.path, shop.key, { ...WISH, ...over });
    expect([answer.status, await json(answer)]).toMatchObject([422, { parameter, detail: expect.any(String) }]);
  });

  test("cannot be where no key is set, and all the same be read and deleted", async () => {
    const shop = await newShop();
    const { id } = await create(shop);
    const without = apiOver(api.directory);
    for (const [method, path] of [
      ["POST", ""],
      ["POST", `/${id}/rotate`],
      ["POST", `/${id}/test`],
    ] as const) {
      const answer = await without.ask(method, shop.path + path, shop.key, path === "" ? WISH : {});
      expect([answer.status, (await json(answer)).code]).toEqual([503, "no_alerts"]);
    }
    expect((await without.ask("GET", `${shop.path}/${id}`, shop.key)).status).toBe(200);
    expect((await without.ask("DELETE", `${shop.path}/${id}`, shop.key)).status).toBe(204);
  });
});

describe("a test", () => {
  test("is sent at once, signed with the secret, and after a rotation with both", async () => {
    const shop = await newShop();
    const { id, secret } = await create(shop);
    const { secret: next } = createdAlertSchema.parse(
      await json(await api.ask("POST", `${shop.path}/${id}/rotate`, shop.key, {})),
    );
    const calls = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("a body that nobody reads"));
    const delivery = deliverySchema
      .strict()
      .parse(await json(await api.ask("POST", `${shop.path}/${id}/test`, shop.key)));
    expect(delivery).toMatchObject({ type: "alert.test", state: "delivered", attempts: 1, status: 200 });
    const [url, init] = calls.mock.calls[0] ?? [];
    expect([url, init?.redirect]).toEqual(["https://example.com/tally?token=abc", "manual"]);
    for (const known of [secret, next]) {
      const notice = new Webhook(known).verify(String(init?.body), init?.headers as Record<string, string>);
      expect(noticeSchema.strict().parse(notice)).toMatchObject({
        type: "alert.test",
        data: { merchant_id: shop.id, incident: null },
      });
    }
    expect(() =>
      new Webhook(`whsec_${btoa("another secret of 32 characters!")}`).verify(
        String(init?.body),
        init?.headers as Record<string, string>,
      ),
    ).toThrow();
  });

  test("says what went wrong, and comes once in a while", async () => {
    const shop = await newShop();
    const { id } = await create(shop);
    vi.spyOn(globalThis, "fetch").mockResolvedValue(
      new Response(null, { status: 302, headers: { Location: "http://169.254.169.254/" } }),
    );
    const first = await json(await api.ask("POST", `${shop.path}/${id}/test`, shop.key));
    expect(first).toMatchObject({
      state: "failed",
      status: 302,
      next_attempt_at: null,
      failure: expect.stringContaining("redirect"),
    });
    const second = await api.ask("POST", `${shop.path}/${id}/test`, shop.key);
    expect([second.status, (await json(second)).code, second.headers.get("Retry-After")]).toEqual([
      429,
      "tested_just_now",
      "10",
    ]);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  test("calls a host so often and no more, however many alerts are made for it", async () => {
    const asked: string[] = [];
    const ADDRESS_LIMITER = {
      limit: async ({ key }: { key: string }) => ({ success: !key.startsWith("receiver:") || asked.push(key) <= 2 }),
    };
    const limited = apiOver(api.directory, { ALERT_KEY: "a1".repeat(32), ADDRESS_LIMITER, ADDRESS_LIMIT: "600/60s" });
    vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response());
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) {
      const shop = await newShop();
      const { id } = await create(shop);
      statuses.push((await limited.ask("POST", `${shop.path}/${id}/test`, shop.key)).status);
      await limited.ask("DELETE", `${shop.path}/${id}`, shop.key);
    }
    expect(statuses).toEqual([200, 200, 429]);
    expect(new Set(asked)).toEqual(new Set(["receiver:example.com"]));
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
