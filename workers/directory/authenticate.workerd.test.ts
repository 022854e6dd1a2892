import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, describe, expect, test } from "vitest";
import { authenticate, KEY_AWAY_MS_MAX, KEY_TTL_MS, resumeKey, UNKNOWN_KEY_TTL_MS } from "./authenticate.ts";
import { mintKey } from "./key.ts";
import { LAST_USED_INTERVAL_MS, noteUse } from "./last-used.ts";
import { keys } from "./schema.ts";
import { addKey, addSource, openDirectory } from "./test-directory.ts";

const nowMs = 1_795_000_000_000;
/** What must not be asked. */
const noDirectory = new Proxy({} as D1Database, {
  get() {
    throw new Error("the directory was asked");
  },
});
let directory: D1Database;

beforeAll(async () => {
  directory = await openDirectory();
  await addSource(directory, "pos", null);
  await addSource(directory, "kiosk", ["shop-1", "constructor"]);
});
const asked = (authorization: string | null, at = nowMs) => authenticate(directory, authorization, at);
const principal = async (authorization: string) => (await asked(authorization))?.principal;

describe("a key", () => {
  test("speaks for its source, merchant or operator", async () => {
    expect(await principal((await addKey(directory, "source", "pos")).authorization)).toEqual({
      kind: "source",
      id: "pos",
      merchants: null,
      mapping: null,
    });
    expect(await principal((await addKey(directory, "source", "kiosk")).authorization)).toEqual({
      kind: "source",
      id: "kiosk",
      merchants: new Set(["shop-1", "constructor"]),
      mapping: null,
    });
    expect(await principal((await addKey(directory, "merchant", "shop-1")).authorization)).toEqual({
      kind: "merchant",
      merchantId: "shop-1",
      role: "read",
    });
    expect(await principal((await addKey(directory, "operator", "ops")).authorization)).toEqual({
      kind: "operator",
      name: "ops",
    });
  });

  test("of a source that does not exist speaks for nobody", async () => {
    expect(await asked((await addKey(directory, "source", "shop-1")).authorization)).toBeNull();
  });

  test("that is revoked, or has expired, speaks for nobody", async () => {
    expect(await asked((await addKey(directory, "operator", "ops", { revokedAt: 1 })).authorization)).toBeNull();
    expect(await asked((await addKey(directory, "operator", "ops", { expiresAt: nowMs })).authorization)).toBeNull();
    expect(
      await asked((await addKey(directory, "operator", "ops", { expiresAt: nowMs + 1 })).authorization),
    ).not.toBeNull();
  });

  test("with the id of one and the secret of another speaks for nobody", async () => {
    const [one, other] = [await addKey(directory, "operator", "ops"), await addKey(directory, "operator", "ops")];
    expect(await asked(`Bearer tally_opr_${one.id}_${other.token.slice(-43)}`)).toBeNull();
  });
});

describe("the cache", () => {
  test("spares the directory for a minute; then a revoked key is refused", async () => {
    const { id, authorization } = await addKey(directory, "operator", "ops");
    const operator = await asked(authorization);
    await drizzle(directory).update(keys).set({ revokedAt: nowMs }).where(eq(keys.id, id));
    expect(await authenticate(noDirectory, authorization, nowMs + KEY_TTL_MS - 1)).toEqual(operator);
    expect(await asked(authorization, nowMs + KEY_TTL_MS)).toBeNull();
  });

  test("goes on serving while the directory does not answer, for five minutes and no longer than the key is good", async () => {
    const { id, authorization } = await addKey(directory, "operator", "ops");
    const expiring = await addKey(directory, "operator", "ops", { expiresAt: nowMs + 2 * KEY_TTL_MS });
    const operator = await asked(authorization);
    await asked(expiring.authorization);
    expect(await authenticate(noDirectory, authorization, nowMs + KEY_AWAY_MS_MAX - 1)).toEqual(operator);
    expect(await authenticate(noDirectory, expiring.authorization, nowMs + 2 * KEY_TTL_MS - 1)).not.toBeNull();
    await expect(authenticate(noDirectory, expiring.authorization, nowMs + 2 * KEY_TTL_MS)).rejects.toThrow();
    await expect(authenticate(noDirectory, authorization, nowMs + KEY_AWAY_MS_MAX)).rejects.toThrow();
    // Once it has been refused it is, whoever is away.
    await asked(authorization, nowMs);
    await drizzle(directory).update(keys).set({ revokedAt: nowMs }).where(eq(keys.id, id));
    expect(await asked(authorization, nowMs + KEY_TTL_MS)).toBeNull();
    const laterMs = nowMs + KEY_TTL_MS + UNKNOWN_KEY_TTL_MS;
    await expect(authenticate(noDirectory, authorization, laterMs)).rejects.toThrow();
  });

  test("holds an unknown key for seconds only: one that was just created works soon", async () => {
    const { id, token, secretHash } = await mintKey("operator", new Uint8Array(40).fill(9));
    expect(await asked(`Bearer ${token}`)).toBeNull();
    await drizzle(directory).insert(keys).values({ id, kind: "operator", subject: "ops", secretHash, createdAt: 0 });
    expect(await authenticate(noDirectory, `Bearer ${token}`, nowMs + UNKNOWN_KEY_TTL_MS - 1)).toBeNull();
    expect(await asked(`Bearer ${token}`, nowMs + UNKNOWN_KEY_TTL_MS)).toMatchObject({
      principal: { kind: "operator", name: "ops" },
      keyId: id,
    });
  });

  test("knows of a session what it knows of its key: a revocation within a minute", async () => {
    const { id } = await addKey(directory, "operator", "ops");
    const resumed = (from: D1Database, at: number) => resumeKey(from, id, "a cookie", at);
    const operator = await resumed(directory, nowMs);
    expect(operator).toMatchObject({ principal: { kind: "operator", name: "ops" }, keyId: id });
    await drizzle(directory).update(keys).set({ revokedAt: nowMs }).where(eq(keys.id, id));
    expect(await resumed(noDirectory, nowMs + KEY_TTL_MS - 1)).toEqual(operator);
    expect(await resumed(directory, nowMs + KEY_TTL_MS)).toBeNull();
  });

  test("is not filled by what is no key: ten thousand such headers cost no look-up and push no key out", async () => {
    const { authorization } = await addKey(directory, "operator", "ops");
    const operator = await asked(authorization);
    for (let n = 0; n <= 10_000; n++) {
      expect(await authenticate(noDirectory, `Bearer made-up-${n}`, nowMs)).toBeNull();
    }
    expect(await authenticate(noDirectory, authorization, nowMs)).toEqual(operator);
  });
});

describe("a key's last use", () => {
  const lastUsed = async (id: string) =>
    (await drizzle(directory).select().from(keys).where(eq(keys.id, id)))[0]?.lastUsedAt;

  test("is noted once in a while, whatever number of requests there are in between", async () => {
    const { id } = await addKey(directory, "operator", "ops");
    await noteUse(directory, id, nowMs);
    expect(noteUse(noDirectory, id, nowMs + LAST_USED_INTERVAL_MS - 1)).toBeUndefined();
    expect(await lastUsed(id)).toBe(nowMs);
    await noteUse(directory, id, nowMs + LAST_USED_INTERVAL_MS + 1);
    expect(await lastUsed(id)).toBe(nowMs + LAST_USED_INTERVAL_MS + 1);
  });

  test("is not written again by another isolate in the meantime", async () => {
    const { id } = await addKey(directory, "operator", "ops");
    await drizzle(directory).update(keys).set({ lastUsedAt: nowMs }).where(eq(keys.id, id));
    await noteUse(directory, id, nowMs + 1_000);
    expect(await lastUsed(id)).toBe(nowMs);
  });
});

describe("the header", () => {
  test("is Bearer and the key, in whatever case and with any blanks between", async () => {
    const { token } = await addKey(directory, "operator", "ops");
    for (const header of [`Bearer ${token}`, `bearer   ${token}`, `BEARER ${token}`])
      expect(await asked(header)).not.toBeNull();
    for (const header of [
      token,
      `Basic ${token}`,
      `Bearer${token}`,
      `Bearer ${token} x`,
      `Bearer "${token}"`,
      "Bearer ",
      "",
      null,
    ]) {
      expect(await authenticate(noDirectory, header, nowMs)).toBeNull();
    }
  });

  test("of a key nobody knows fails loudly when the directory cannot be asked", async () => {
    const { token } = await mintKey("operator", new Uint8Array(40).fill(7));
    await expect(authenticate(noDirectory, `Bearer ${token}`, nowMs)).rejects.toThrow();
  });
});
