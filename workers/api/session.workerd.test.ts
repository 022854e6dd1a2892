import { beforeAll, describe, expect, test, vi } from "vitest";
import { CSRF_HEADER } from "../access/csrf-header.ts";
import { SESSION_MS } from "../access/session.ts";
import { putMerchant } from "../directory/merchants.ts";
import { addKey, addSource } from "../directory/test-directory.ts";
import { sessionSchema } from "./session.ts";
import { apiOver, ORIGIN, openApi, type TestApi } from "./test-api.ts";

let api: TestApi;
let merchant: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  api = await openApi();
  await addSource(api.directory, "pos", null);
  merchant = await addKey(api.directory, "merchant", "shop-1", { role: "manage" });
});

const PAGE = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };
const signIn = (key: string, headers: HeadersInit = PAGE, origin = ORIGIN) =>
  api.ask("POST", `${origin}/v1/session`, headers, { key });
const cookieOf = (response: Response) => response.headers.get("Set-Cookie")?.split(";")[0] ?? "";

/** A browser that has signed in: its cookie, and what its page learned. */
async function browser(key: string) {
  const response = await signIn(key);
  const { session } = sessionSchema.strict().parse(await response.json());
  return { Cookie: cookieOf(response), ...PAGE, [CSRF_HEADER]: session?.csrf_token ?? "" };
}

describe("a sign-in", () => {
  test("gives a cookie that no script reads, no other site sends, and no other host sets, and says who it is for", async () => {
    const response = await signIn(merchant.token);
    expect(response.status).toBe(201);
    const cookie = response.headers.get("Set-Cookie") ?? "";
    expect(cookie).toMatch(
      /^__Host-tally_session=[\w-]+\.[\w-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const signedIn = sessionSchema.strict().parse(await response.json());
    expect(signedIn).toMatchObject({ kind: "merchant", subject: "shop-1", role: "manage", key_id: merchant.id });
    const endsInMs = Date.parse(signedIn.session?.expires_at ?? "") - Date.now();
    expect(Math.abs(endsInMs - SESSION_MS)).toBeLessThan(60_000);
    expect(cookie).not.toContain(merchant.token.slice(-43));
    const me = await api.ask("GET", "/v1/session", { Cookie: cookieOf(response) });
    expect(await me.json()).toEqual(signedIn);
  });

  test("names the merchant that it reads, if the directory knows one and answers", async () => {
    const home = { id: "shop-4", name: "Café Quatre", timezone: "Europe/Paris", currency: "EUR", createdAt: 0 };
    await putMerchant(api.directory, home);
    const key = await addKey(api.directory, "merchant", home.id);
    const merchantOf = async (answer: Response) => sessionSchema.parse(await answer.json()).merchant;
    const shown = await (await api.ask("GET", `/v1/merchants/${home.id}`, key)).json();
    expect(await merchantOf(await signIn(key.token))).toEqual(shown);
    expect(await merchantOf(await api.ask("GET", "/v1/session", key))).toEqual(shown);
    expect(await merchantOf(await signIn(merchant.token))).toBeNull();
    expect(await merchantOf(await signIn((await addKey(api.directory, "operator", "ops")).token))).toBeNull();
    const away = new Proxy(api.directory, {
      get: (target, name) => (sql: string) => {
        if (name === "prepare" && /from "merchants"/.test(sql)) throw new Error("D1 is away");
        return Reflect.get(target, name).call(target, sql);
      },
    });
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const answer = await apiOver(away).ask("GET", "/v1/session", key);
    expect([answer.status, await merchantOf(answer)]).toEqual([200, null]);
  });

  test("over plain HTTP on a loopback address gives a cookie that browsers take there", async () => {
    for (const origin of ["http://127.0.0.1:8788", "http://localhost:8788"]) {
      const response = await signIn(merchant.token, { Origin: origin }, origin);
      expect(response.headers.get("Set-Cookie")).toMatch(
        /^tally_session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
      );
      expect((await api.ask("GET", `${origin}/v1/session`, { Cookie: cookieOf(response) })).status).toBe(200);
      // Elsewhere it is no session: any page of a neighbouring host could have set it.
      expect((await api.ask("GET", "/v1/session", { Cookie: cookieOf(response) })).status).toBe(401);
    }
    expect((await signIn(merchant.token, {}, "http://tally.example")).headers.get("Set-Cookie")).toContain("; Secure;");
  });

  test("ends no later than its key", async () => {
    const short = await addKey(api.directory, "operator", "ops", { expiresAt: Date.now() + 60_000 });
    const { session } = sessionSchema.parse(await (await signIn(short.token)).json());
    expect(Date.parse(session?.expires_at ?? "")).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ["with a source's key", async () => signIn((await addKey(api.directory, "source", "pos")).token), 403, "forbidden"],
    ["with an unknown key", () => signIn(`tally_mch_${"0".repeat(16)}_${"A".repeat(43)}`), 401, "unauthorized"],
    ["with no key", () => signIn("nothing"), 401, "unauthorized"],
    ["without one", () => api.ask("POST", "/v1/session", PAGE, {}), 401, "unauthorized"],
    ["with another body", () => api.ask("POST", "/v1/session", PAGE, { key: 7 }), 422, "invalid_body"],
    ["from another site", () => signIn(merchant.token, { Origin: "https://evil.example" }), 403, "csrf"],
    ["from another site's form", () => signIn(merchant.token, { "Sec-Fetch-Site": "cross-site" }), 403, "csrf"],
  ])("%s gives none", async (_, ask, status, code) => {
    const response = await ask();
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
    expect(response.headers.get("Set-Cookie")).toBeNull();
  });

  test("is not there in a deployment without its secret, and keys are all the same", async () => {
    const bare = apiOver(api.directory, { SESSION_KEY: undefined });
    const response = await bare.ask("POST", "/v1/session", PAGE, { key: merchant.token });
    expect(response.status).toBe(503);
    expect((await bare.ask("GET", "/v1/session", merchant)).status).toBe(200);
  });
});

describe("a session", () => {
  test("reads without more, and changes things with its page's token", async () => {
    const { [CSRF_HEADER]: token, ...page } = await browser(merchant.token);
    expect((await api.ask("GET", "/v1/merchants/shop-1/keys", page)).status).toBe(200);
    expect((await api.ask("POST", "/v1/merchants/shop-1/keys", page)).status).toBe(403);
    expect((await api.ask("POST", "/v1/merchants/shop-1/keys", { ...page, [CSRF_HEADER]: token })).status).toBe(201);
  });

  test("has the rights of its key", async () => {
    const reading = await addKey(api.directory, "merchant", "shop-1");
    const page = await browser(reading.token);
    const me = await api.ask("GET", "/v1/session", page);
    expect(await me.json()).toMatchObject({ role: "read" });
    expect((await api.ask("GET", "/v1/merchants/shop-1/keys", page)).status).toBe(200);
    expect((await api.ask("POST", "/v1/merchants/shop-1/keys", page)).status).toBe(403);
    const operators = await browser((await addKey(api.directory, "operator", "ops")).token);
    expect(await (await api.ask("GET", "/v1/session", operators)).json()).toMatchObject({ role: null });
    expect((await api.ask("POST", "/v1/merchants/shop-1/keys", operators, { role: "manage" })).status).toBe(201);
  });

  test("is over in the browser once it signs out, from its own page alone", async () => {
    const page = await browser(merchant.token);
    expect((await api.ask("DELETE", "/v1/session", { Cookie: page.Cookie })).status).toBe(403);
    const out = await api.ask("DELETE", "/v1/session", page);
    expect(out.status).toBe(204);
    expect(out.headers.get("Set-Cookie")).toMatch(
      /^__Host-tally_session=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
  });

  test("of a key that is revoked ends with it", async () => {
    const key = await addKey(api.directory, "merchant", "shop-1");
    const page = await browser(key.token);
    await api.ask("DELETE", `/v1/merchants/shop-1/keys/${key.id}`, merchant);
    // This isolate has not used the session yet; one that has knows within a minute (authenticate.workerd.test.ts).
    expect((await api.ask("GET", "/v1/session", page)).status).toBe(401);
  });

  test("a key in the header speaks before it, even one that is none", async () => {
    const page = await browser(merchant.token);
    expect((await api.ask("GET", "/v1/session", { ...page, Authorization: "Bearer nothing" })).status).toBe(401);
    const key = await addKey(api.directory, "operator", "ops");
    const me = await api.ask("GET", "/v1/session", { ...page, Authorization: `Bearer ${key.token}` });
    expect(await me.json()).toMatchObject({ kind: "operator", session: null });
  });
});
