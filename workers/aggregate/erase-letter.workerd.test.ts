import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, test } from "vitest";
import { erasedUser } from "../../shared/erased-user.ts";
import { decodeRawMessage } from "../../shared/messages/raw.ts";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { createErasure, nextErasure, readErasure } from "../directory/erasures.ts";
import { deadLetters, erasures } from "../directory/schema.ts";
import { gunzip } from "../gzip.ts";
import { deadLetterKey } from "./dead-letter-key.ts";
import { erasePass, UNREADABLE_LETTERS_KEPT_MS } from "./erasure.ts";
import { HOUR_MS, NOON_MS, payment } from "./sample-payments.ts";
import type { ShardReading } from "./shard.ts";
import { messageOf, nextMerchant, openLog, QUEUE, shardNameOf } from "./test-log.ts";
import { deliver } from "./test-queue.ts";
import { workerEnv } from "./test-shard.ts";

openLog();

const ERASED = "89abcdef01234567";
const OTHER = "0123456789abcdef";
const S3 = { ARCHIVE_S3_URL: "https://s3.example/archive", ARCHIVE_S3_KEY_ID: "id", ARCHIVE_S3_SECRET: "secret" };

/** Of both users, in two hours, so that lines are numbered and there are several members. */
function messageFor(merchant: string) {
  const events = Array.from({ length: 6 }, (_, n) =>
    payment({
      ...{ event_id: `e-${n}`, merchant_id: merchant, occurred_at: NOON_MS - (n % 2) * HOUR_MS },
      user: { id: n < 4 ? ERASED : OTHER, gender: "female" },
      attributes: { note: ERASED },
    }),
  );
  return messageOf(events);
}

const bury = (message: ReturnType<typeof messageOf>) => deliver(`${QUEUE}-dead`, [message]);

async function bodyOf(id: string): Promise<Uint8Array> {
  const object = await workerEnv.ARCHIVE.get(deadLetterKey(QUEUE, id));
  return new Uint8Array((await object?.arrayBuffer()) ?? []);
}

/** Users of a letter, by its lines and by its columns. */
async function usersIn(id: string) {
  const raw = decodeRawMessage(await bodyOf(id));
  const batch = raw.ok ? decodeShardBatch(raw.value.columns) : raw;
  if (!raw.ok || !batch.ok) throw new Error("the letter cannot be read");
  const hex = (half: number) => half.toString(16).padStart(8, "0");
  const lines = raw.value.members.flatMap(({ gzip }) =>
    new TextDecoder().decode(gunzip(gzip, 1_000_000)).trimEnd().split("\n"),
  );
  const events = lines.map((line) => JSON.parse(line) as { user: { id: string }; attributes: object; n: number });
  return {
    lines: events.map(({ user }) => user.id).sort(),
    columns: Array.from(
      { length: batch.value.size },
      (_, i) => hex(batch.value.userHi(i)) + hex(batch.value.userLo(i)),
    ).sort(),
    rest: events.map(({ n, attributes }) => ({ n, attributes })),
  };
}

const runErasure = async (RAW?: unknown, nowMs = Date.now()) => {
  const env = { ...workerEnv, ...S3, ...(RAW === undefined ? { RAW: undefined } : { RAW }) } as typeof workerEnv;
  let passes = 0;
  while (await erasePass(env, nowMs)) if (++passes > 10) throw new Error("it does not end");
};

async function begin() {
  await drizzle(workerEnv.DIRECTORY).delete(erasures);
  return await createErasure(workerEnv.DIRECTORY, [ERASED], HOUR_MS, Date.now());
}

async function windowsOf(merchant: string) {
  const shard = workerEnv.SHARD.get(workerEnv.SHARD.idFromName(await shardNameOf(merchant)));
  const { windows }: ShardReading = JSON.parse(await shard.read(merchant, 0, 1e15));
  return windows.map(({ merchant_id: _, revision: __, ...row }) => row);
}

const left = [...Array.from({ length: 4 }, () => erasedUser(ERASED)), OTHER, OTHER].sort();

test("an erased user is in no dead letter, put back or not, and one that is put back counts what it would have", async () => {
  const [one, same] = [nextMerchant(), nextMerchant()];
  const letter = messageFor(one);
  await bury(letter);
  await workerEnv.ARCHIVE.put(deadLetterKey(QUEUE, "gone-before"), letter.body as ArrayBuffer);
  const before = await usersIn(letter.id);
  expect(before.columns).toEqual([...Array.from({ length: 4 }, () => ERASED), OTHER, OTHER].sort());
  const { id } = await begin();
  await runErasure();
  for (const key of [letter.id, "gone-before"]) {
    expect(await usersIn(key)).toEqual({ lines: left, columns: left, rest: before.rest });
  }
  expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done", letters: 2, unreadable: 0 });

  await deliver(QUEUE, [{ id: "put-back", body: (await bodyOf(letter.id)).buffer }]);
  await deliver(QUEUE, [messageFor(same)]);
  const counted = await windowsOf(one);
  expect(counted.length).toBeGreaterThan(0);
  expect(counted).toEqual(await windowsOf(same));
});

test("a message that dies while a user is being erased is kept without the user", async () => {
  await begin();
  const letter = messageFor(nextMerchant());
  await bury(letter);
  expect(await usersIn(letter.id)).toMatchObject({ lines: left, columns: left });
});

test("no hour is begun while the log brings what was sent before the erasure was asked for", async () => {
  const { id, createdAt } = await begin();
  const log = { oldestMessageTimestamp: new Date(createdAt) };
  await runErasure({ metrics: async () => log });
  expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "running", nextMs: 0, lettersAfter: null });
  expect(await nextErasure(workerEnv.DIRECTORY, Date.now())).toBeUndefined();
  log.oldestMessageTimestamp = new Date(createdAt + 1);
  await drizzle(workerEnv.DIRECTORY).update(erasures).set({ retryAt: 0 });
  await runErasure({ metrics: async () => log });
  expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done" });
});

describe("a dead letter that cannot be read", () => {
  const letterOf = async (id: string) =>
    (await drizzle(workerEnv.DIRECTORY).select().from(deadLetters).where(eq(deadLetters.id, id)))[0];

  test("keeps an erasure from being done for a week, and is discarded then, by its length and digest", async () => {
    await deliver(`${QUEUE}-dead`, [{ id: "poison", body: new TextEncoder().encode("poison").buffer }]);
    const { id, createdAt } = await begin();
    await runErasure();
    const waiting = { state: "running", nextMs: HOUR_MS, unreadableLetters: 1, userHashes: [ERASED] };
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject(waiting);
    await runErasure(undefined, createdAt + UNREADABLE_LETTERS_KEPT_MS - 1);
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject(waiting);
    expect(await bodyOf("poison")).toHaveLength(6);
    const nowMs = createdAt + UNREADABLE_LETTERS_KEPT_MS + HOUR_MS;
    await runErasure(undefined, nowMs);
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done", userHashes: null });
    expect(await workerEnv.ARCHIVE.get(deadLetterKey(QUEUE, "poison"))).toBeNull();
    const sha256 = "5743abddddfa08c1e3a99fdebc2e8f3f1108fa12dcd2a8f58a42f141418c22ec";
    expect(await letterOf("poison")).toMatchObject({ discardedAt: nowMs, bodySha256: sha256, bodyBytes: 6 });
  });

  test("that dies when an erasure is a week old is waited for from then on", async () => {
    await deliver(`${QUEUE}-dead`, [{ id: "young", body: new TextEncoder().encode("poison").buffer }]);
    const diedMs = (await workerEnv.ARCHIVE.head(deadLetterKey(QUEUE, "young")))?.uploaded.getTime() ?? 0;
    await drizzle(workerEnv.DIRECTORY).delete(erasures);
    const askedMs = diedMs - UNREADABLE_LETTERS_KEPT_MS;
    const { id } = await createErasure(workerEnv.DIRECTORY, [ERASED], HOUR_MS, askedMs);
    for (const nowMs of [diedMs, diedMs + UNREADABLE_LETTERS_KEPT_MS - 1]) {
      await runErasure(undefined, nowMs);
      expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "running", unreadableLetters: 1 });
      expect(await bodyOf("young")).toHaveLength(6);
    }
    await runErasure(undefined, diedMs + UNREADABLE_LETTERS_KEPT_MS + HOUR_MS);
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done" });
    expect(await letterOf("young")).toMatchObject({ discardedAt: diedMs + UNREADABLE_LETTERS_KEPT_MS + HOUR_MS });
  });

  test("is erased like any other once it can be, as by a later version", async () => {
    const { id, createdAt } = await begin();
    await workerEnv.ARCHIVE.put(deadLetterKey(QUEUE, "later"), "of a version to come");
    await runErasure();
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "running", unreadableLetters: 1 });
    await workerEnv.ARCHIVE.put(deadLetterKey(QUEUE, "later"), messageFor(nextMerchant()).body as ArrayBuffer);
    await runErasure(undefined, createdAt + 2 * HOUR_MS);
    expect(await usersIn("later")).toMatchObject({ lines: left, columns: left });
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done", letters: expect.any(Number) });
  });

  test("that dies after the first look at the letters is found by the last one", async () => {
    const { id, createdAt } = await begin();
    const env = { ...workerEnv, ...S3, RAW: undefined } as unknown as typeof workerEnv;
    expect(await erasePass(env, createdAt)).toBe(true);
    await deliver(`${QUEUE}-dead`, [{ id: "poison-2", body: new TextEncoder().encode("poison").buffer }]);
    await runErasure();
    expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "running", unreadableLetters: 1 });
    await workerEnv.ARCHIVE.delete(deadLetterKey(QUEUE, "poison-2"));
  });
});
