import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, describe, expect, test } from "vitest";
import { authenticate, KEY_TTL_MS, UNKNOWN_KEY_TTL_MS } from "./authenticate.ts";
import { type KeyKind, mintKey } from "./key.ts";
import { keys } from "./schema.ts";
import { addKey, addSource, openDirectory } from "./test-directory.ts";

const EVERYBODY: readonly KeyKind[] = ["source", "merchant", "operator"];
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
const asked = (authorization: string | null, at = nowMs, admitted = EVERYBODY) =>
  authenticate(directory, authorization, admitted, at);

describe("a key", () => {
  test("speaks for its source, merchant or operator", async () => {
    expect(await asked((await addKey(directory, "source", "pos")).authorization)).toEqual({
      kind: "source",
      id: "pos",
      merchants: null,
      mapping: null,
    });
    expect(await asked((await addKey(directory, "source", "kiosk")).authorization)).toEqual({
      kind: "source",
      id: "kiosk",
      merchants: new Set(["shop-1", "constructor"]),
      mapping: null,
    });
    expect(await asked((await addKey(directory, "merchant", "shop-1")).authorization)).toEqual({
      kind: "merchant",
      merchantId: "shop-1",
    });
    expect(await asked((await addKey(directory, "operator", "ops")).authorization)).toEqual({
      kind: "operator",
      name: "ops",
    });
  });

  test("is admitted only where its kind is, from the cache too", async () => {
    const { authorization } = await addKey(directory, "merchant", "pos");
    expect(await asked(authorization, nowMs, ["source"])).toBeNull();
    expect(await asked(authorization, nowMs, ["operator", "merchant"])).toEqual({
      kind: "merchant",
      merchantId: "pos",
    });
    expect(await authenticate(noDirectory, authorization, ["source"], nowMs)).toBeNull();
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
    expect(await authenticate(noDirectory, authorization, EVERYBODY, nowMs + KEY_TTL_MS - 1)).toEqual(operator);
    expect(await asked(authorization, nowMs + KEY_TTL_MS)).toBeNull();
  });

  test("holds an unknown key for seconds only: one that was just created works soon", async () => {
    const { id, token, secretHash } = await mintKey("operator", new Uint8Array(40).fill(9));
    expect(await asked(`Bearer ${token}`)).toBeNull();
    await drizzle(directory).insert(keys).values({ id, kind: "operator", subject: "ops", secretHash, createdAt: 0 });
    expect(await authenticate(noDirectory, `Bearer ${token}`, EVERYBODY, nowMs + UNKNOWN_KEY_TTL_MS - 1)).toBeNull();
    expect(await asked(`Bearer ${token}`, nowMs + UNKNOWN_KEY_TTL_MS)).toEqual({ kind: "operator", name: "ops" });
  });

  test("is not filled by what is no key: ten thousand such headers cost no look-up and push no key out", async () => {
    const { authorization } = await addKey(directory, "operator", "ops");
    const operator = await asked(authorization);
    for (let n = 0; n <= 10_000; n++) {
      expect(await authenticate(noDirectory, `Bearer made-up-${n}`, EVERYBODY, nowMs)).toBeNull();
    }
    expect(await authenticate(noDirectory, authorization, EVERYBODY, nowMs)).toEqual(operator);
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
      expect(await authenticate(noDirectory, header, EVERYBODY, nowMs)).toBeNull();
    }
  });

  test("of a key nobody knows fails loudly when the directory cannot be asked", async () => {
    const { token } = await mintKey("operator", new Uint8Array(40).fill(7));
    await expect(authenticate(noDirectory, `Bearer ${token}`, EVERYBODY, nowMs)).rejects.toThrow();
  });
});
