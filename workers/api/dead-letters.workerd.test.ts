import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeRawMessage, encodeRawMessage, type RawMessage } from "../../shared/messages/raw.ts";
import { deadLetterKey } from "../aggregate/dead-letter-key.ts";
import { eraseLetter } from "../aggregate/erase-letter.ts";
import { NOON_MS, payment } from "../aggregate/sample-payments.ts";
import { messageOf } from "../aggregate/test-log.ts";
import { deliver } from "../aggregate/test-queue.ts";
import { workerEnv } from "../aggregate/test-shard.ts";
import { createErasure } from "../directory/erasures.ts";
import { deadLetters, erasures } from "../directory/schema.ts";
import { addKey, openDirectory } from "../directory/test-directory.ts";
import { gzip } from "../gzip.ts";
import { apiOver, type TestApi } from "./test-api.ts";

const USER = "89abcdef01234567";
const sent: Uint8Array[] = [];
let atSend: () => Promise<unknown> = async () => {};
let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  const directory = await openDirectory();
  const queue = {
    send: async (body: Uint8Array) => {
      sent.push(body);
      await atSend();
    },
    sendBatch: async (messages: Iterable<{ readonly body: Uint8Array }>) =>
      void sent.push(...[...messages].map(({ body }) => body)),
  };
  api = apiOver(directory, { ARCHIVE: workerEnv.ARCHIVE, RAW: queue, WINDOWS: queue });
  operator = await addKey(directory, "operator", "ops");
});
beforeEach(() => {
  sent.length = 0;
  atSend = async () => {};
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const ask = async (method: string, path: string, body?: unknown) =>
  await (await api.ask(method, `/v1/admin/dead-letters${path}`, operator, body)).json();

const events = () =>
  messageOf([payment({ event_id: "a", merchant_id: "shop", occurred_at: NOON_MS, user: { id: USER } })])
    .body as ArrayBuffer;

const rowOf = async (id: string) =>
  (await drizzle(api.directory).select().from(deadLetters).where(eq(deadLetters.id, id)))[0];

async function bury(id: string, body: ArrayBuffer | string, queue = "tally-raw", deadAt = 1): Promise<string> {
  const bodyKey = deadLetterKey(queue, id);
  await workerEnv.ARCHIVE.put(bodyKey, body);
  await drizzle(api.directory)
    .insert(deadLetters)
    .values({ id, queue, reason: "x", attempts: 1, bodyKey, bodyBytes: 1, sentAt: 1, deadAt });
  return bodyKey;
}

test("what cannot be read is discarded, and a letter of windows; events that were accepted are not", async () => {
  const gone = [await bury("poison", "poison"), await bury("refused", "rows", "tally-windows")];
  const kept = await bury("events", events());
  expect(await ask("POST", "/discard", { ids: ["poison", "refused", "events", "no-such"] })).toEqual({
    discarded: ["poison", "refused"],
    failed: [
      { id: "events", reason: expect.stringContaining("put it back") },
      { id: "no-such", reason: expect.stringContaining("no such letter") },
    ],
  });
  for (const key of gone) expect(await workerEnv.ARCHIVE.get(key)).toBeNull();
  expect(await workerEnv.ARCHIVE.get(kept)).not.toBeNull();
  expect(await ask("GET", "")).toMatchObject({ dead_letters: [{ id: "events" }] });
  expect(await ask("POST", "/discard", { ids: ["poison"] })).toMatchObject({
    discarded: [],
    failed: [{ id: "poison" }],
  });
  expect(await ask("POST", "/redrive", { all: true })).toMatchObject({ redriven: ["events"], failed: [] });
});

test("a letter is put back without the users that are being erased, though it could not be read when they were asked for", async () => {
  await createErasure(api.directory, [USER], NOON_MS, Date.now());
  const key = await bury("again", events());
  expect(await ask("POST", "/redrive", { ids: ["again"] })).toMatchObject({ redriven: ["again"] });
  expect(sent).toHaveLength(1);
  const body = new Uint8Array((await (await workerEnv.ARCHIVE.get(key))?.arrayBuffer()) ?? []);
  expect(sent[0]).toEqual(body);
  expect(await eraseLetter(workerEnv.ARCHIVE, key, new Set([USER]))).toEqual({ events: 0 });
  await drizzle(api.directory).delete(erasures);
});

test("users are asked for letter by letter: an erasure that begins meanwhile is kept to by the next one", async () => {
  const keys = [await bury("before", events()), await bury("after", events(), "tally-raw", 2)];
  atSend = async () => {
    atSend = async () => {};
    await createErasure(api.directory, [USER], NOON_MS, Date.now());
  };
  expect(await ask("POST", "/redrive", { ids: ["before", "after"] })).toMatchObject({ redriven: ["before", "after"] });
  const users = new Set([USER]);
  const found = await Promise.all(keys.map((key) => eraseLetter(workerEnv.ARCHIVE, key, users)));
  expect(found).toEqual([{ events: 1 }, { events: 0 }]);
  await drizzle(api.directory).delete(erasures);
});

describe("a discarding that is cut off before the body is removed", () => {
  async function cutOff(id: string): Promise<string> {
    const key = await bury(id, "poison");
    const ARCHIVE = {
      get: (key: string) => workerEnv.ARCHIVE.get(key),
      delete: () => Promise.reject(new Error("cut")),
    };
    const cut = apiOver(api.directory, { ARCHIVE });
    const answer = await cut.ask("POST", "/v1/admin/dead-letters/discard", operator, { ids: [id] });
    expect(answer.status).toBe(500);
    expect(await workerEnv.ARCHIVE.head(key)).not.toBeNull();
    return key;
  }

  test("is gone on with, and keeps the moment and the digest of the first time", async () => {
    const key = await cutOff("cut");
    await drizzle(api.directory).update(deadLetters).set({ discardedAt: 7 }).where(eq(deadLetters.id, "cut"));
    const { bodySha256 } = (await rowOf("cut")) ?? {};
    expect(bodySha256).toMatch(/^5743abdd/);
    expect(await ask("POST", "/discard", { ids: ["cut"] })).toEqual({ discarded: ["cut"], failed: [] });
    expect(await workerEnv.ARCHIVE.head(key)).toBeNull();
    expect(await rowOf("cut")).toMatchObject({ discardedAt: 7, bodySha256 });
    const gone = { failed: [{ id: "cut", reason: expect.stringContaining("no such letter") }] };
    expect(await ask("POST", "/discard", { ids: ["cut"] })).toMatchObject({ discarded: [], ...gone });
    expect(await ask("POST", "/redrive", { ids: ["cut"] })).toMatchObject({ redriven: [], ...gone });
    expect(await rowOf("cut")).toMatchObject({ redrivenAt: null, discardedAt: 7, bodySha256 });
  });

  test("leaves a letter that is put back by its id, and was not discarded then", async () => {
    const key = await cutOff("cut-2");
    await workerEnv.ARCHIVE.put(key, events());
    expect(await ask("POST", "/discard", { ids: ["cut-2"] })).toMatchObject({
      failed: [{ reason: expect.stringContaining("put it back") }],
    });
    expect(await ask("POST", "/redrive", { ids: ["cut-2"] })).toMatchObject({ redriven: ["cut-2"], failed: [] });
    expect(await rowOf("cut-2")).toMatchObject({ discardedAt: null, bodySha256: null });
  });
});

test("a letter whose body is gone is not discarded, but leaves the list once it is put back", async () => {
  await workerEnv.ARCHIVE.delete(await bury("lost", "poison"));
  expect(await ask("POST", "/discard", { ids: ["lost"] })).toEqual({
    discarded: [],
    failed: [{ id: "lost", reason: expect.stringContaining("its body is gone") }],
  });
  expect(await rowOf("lost")).toMatchObject({ discardedAt: null, bodySha256: null });
  await ask("POST", "/redrive", { ids: ["lost"] });
  expect(await rowOf("lost")).toMatchObject({ redrivenAt: expect.any(Number), bodySha256: null });
});

describe("no events that can be counted and archived, which can be discarded, are", () => {
  const raw = (): RawMessage => {
    const decoded = decodeRawMessage(events());
    if (!decoded.ok) throw new Error(decoded.error.reason);
    return decoded.value;
  };

  test("columns of fewer events than are promised, which the log's consumer buries", async () => {
    const members = raw().members.map((member) => ({ ...member, events: 2 }));
    await deliver("tally-raw", [{ id: "promised", body: encodeRawMessage({ ...raw(), members }).buffer }]);
    expect(await rowOf("promised")).toMatchObject({ reason: "1 events where 2 are promised" });
    expect(await ask("POST", "/discard", { ids: ["promised"] })).toEqual({ discarded: ["promised"], failed: [] });
  });

  test("more lines than are promised", async () => {
    const members = raw().members.map((member) => ({ ...member, gzip: gzip(new TextEncoder().encode("{}\n{}\n")) }));
    await bury("lines", encodeRawMessage({ ...raw(), members }).buffer);
    expect(await ask("POST", "/discard", { ids: ["lines"] })).toEqual({ discarded: ["lines"], failed: [] });
  });
});
