import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { erasePass } from "../aggregate/erasure.ts";
import { workerEnv } from "../aggregate/test-shard.ts";
import { nextErasure } from "../directory/erasures.ts";
import { addKey, openDirectory } from "../directory/test-directory.ts";
import { erasureSchema, erasuresSchema } from "./erasures.ts";
import { apiOver, type TestApi } from "./test-api.ts";

const HASH = "0123456789abcdef";
const S3 = { ARCHIVE_S3_URL: "https://s3.example/archive", ARCHIVE_S3_KEY_ID: "id", ARCHIVE_S3_SECRET: "secret" };
const DAY_MS = 86_400_000;
const begin = vi.fn();
let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  const directory = await openDirectory();
  api = apiOver(directory, { REPLAYER: { idFromName: () => "id", get: () => ({ begin }) } });
  operator = await addKey(directory, "operator", "ops");
});
beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const ask = (method: string, path = "", body?: unknown) => api.ask(method, `/v1/admin/erasures${path}`, operator, body);

test("an erasure is begun, shown without its hashes, done with events of the past at once, and forgets them then", async () => {
  const response = await ask("POST", "", { user_hashes: [HASH, HASH], to: "2026-01-01" });
  expect(response.status).toBe(202);
  const begun = erasureSchema.parse(await response.json());
  expect(begun).toMatchObject({ state: "running", users: 1, to: "2026-01-01T00:00:00.000Z", events: 0 });
  expect(begin).toHaveBeenCalled();
  const env = { ...workerEnv, ...S3, DIRECTORY: api.directory };
  // The letters and the archive; the letters once more.
  expect(await erasePass(env, Date.now())).toBe(true);
  expect(await erasePass(env, Date.now())).toBe(true);
  expect(erasureSchema.parse(await (await ask("GET", `/${begun.id}`)).json())).toMatchObject({ state: "done" });
  expect(await erasePass(env, Date.now())).toBe(false);
  const stored = [
    await api.directory.prepare("SELECT * FROM erasures").all(),
    await (await api.ask("GET", "/v1/admin/log", operator)).text(),
  ];
  expect(JSON.stringify(stored)).toContain("/v1/admin/erasures");
  expect(JSON.stringify(stored)).not.toContain(HASH);
});

test("one of events that are not final waits until they are, an hour at a time", async () => {
  const { id } = erasureSchema.parse(await (await ask("POST", "", { user_hashes: [HASH] })).json());
  const env = { ...workerEnv, ...S3, DIRECTORY: api.directory };
  const nowMs = Date.now();
  await erasePass(env, nowMs);
  const waiting = erasureSchema.parse(await (await ask("GET", `/${id}`)).json());
  expect(waiting.state).toBe("running");
  const behindMs = nowMs - Date.parse(waiting.erased_through);
  expect(behindMs / DAY_MS).toBeGreaterThan(1);
  expect(behindMs / DAY_MS).toBeLessThan(1.5);
  expect(await nextErasure(api.directory, nowMs)).toBeUndefined();
  while (await erasePass(env, nowMs + 2 * DAY_MS));
  expect(erasureSchema.parse(await (await ask("GET", `/${id}`)).json())).toMatchObject({ state: "done" });
});

test("one that cannot be gone on with says why, and is tried again", async () => {
  const { id } = erasureSchema.parse(await (await ask("POST", "", { user_hashes: [HASH], to: 1 })).json());
  const env = { ...workerEnv, DIRECTORY: api.directory };
  const nowMs = Date.now();
  await expect(erasePass(env, nowMs)).rejects.toThrow("ARCHIVE_S3_URL");
  expect(await erasePass({ ...env, ...S3 }, nowMs)).toBe(false);
  const { erasures } = erasuresSchema.parse(await (await ask("GET")).json());
  expect(erasures.find((one) => one.id === id)?.failure).toContain("ARCHIVE_S3_URL");
  expect(await erasePass({ ...env, ...S3 }, nowMs + DAY_MS)).toBe(true);
});

test.each([
  [{}, 422, "invalid_body"],
  [{ user_hashes: [] }, 422, "invalid_body"],
  [{ user_hashes: ["hanako@example.com"] }, 422, "invalid_body"],
  [{ user_hashes: [HASH], to: "yesteryear" }, 400, "invalid_time"],
  ["{nope", 400, "malformed_json"],
])("%j is %i %s", async (body, status, code) => {
  const response = await ask("POST", "", body);
  expect([response.status, await response.json()]).toMatchObject([status, { code }]);
});

test("an erasure that is none is not found", async () => {
  expect((await ask("GET", "/none")).status).toBe(404);
});

test("erasures are listed in pages, the newest first", async () => {
  const listed = async (query: string) => erasuresSchema.parse(await (await ask("GET", query)).json());
  const all = (await listed("")).erasures.map(({ id }) => id);
  expect(all.length).toBeGreaterThan(1);
  const paged: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { erasures, next_cursor }: Awaited<ReturnType<typeof listed>> = await listed(`?limit=1${cursor}`);
    expect(erasures).toHaveLength(1);
    paged.push(...erasures.map(({ id }) => id));
    cursor = next_cursor === null ? null : `&cursor=${next_cursor}`;
  }
  expect(paged).toEqual(all);
});
