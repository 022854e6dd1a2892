import { drizzle } from "drizzle-orm/d1";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { deadLetterKey } from "../aggregate/dead-letter-key.ts";
import { eraseLetter } from "../aggregate/erase-letter.ts";
import { NOON_MS, payment } from "../aggregate/sample-payments.ts";
import { messageOf } from "../aggregate/test-log.ts";
import { workerEnv } from "../aggregate/test-shard.ts";
import { createErasure } from "../directory/erasures.ts";
import { deadLetters, erasures } from "../directory/schema.ts";
import { addKey, openDirectory } from "../directory/test-directory.ts";
import { apiOver, type TestApi } from "./test-api.ts";

const USER = "89abcdef01234567";
const sent: Uint8Array[] = [];
let api: TestApi;
let operator: Awaited<ReturnType<typeof addKey>>;

beforeAll(async () => {
  const directory = await openDirectory();
  const queue = {
    send: async (body: Uint8Array) => void sent.push(body),
    sendBatch: async (messages: Iterable<{ readonly body: Uint8Array }>) =>
      void sent.push(...[...messages].map(({ body }) => body)),
  };
  api = apiOver(directory, { ARCHIVE: workerEnv.ARCHIVE, RAW: queue, WINDOWS: queue });
  operator = await addKey(directory, "operator", "ops");
});
beforeEach(() => {
  sent.length = 0;
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const ask = async (method: string, path: string, body?: unknown) =>
  await (await api.ask(method, `/v1/admin/dead-letters${path}`, operator, body)).json();

const events = () =>
  messageOf([payment({ event_id: "a", merchant_id: "shop", occurred_at: NOON_MS, user: { id: USER } })])
    .body as ArrayBuffer;

async function bury(id: string, body: ArrayBuffer | string, queue = "tally-raw"): Promise<string> {
  const bodyKey = deadLetterKey(queue, id);
  await workerEnv.ARCHIVE.put(bodyKey, body);
  await drizzle(api.directory)
    .insert(deadLetters)
    .values({ id, queue, reason: "x", attempts: 1, bodyKey, bodyBytes: 1, sentAt: 1, deadAt: 1 });
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
