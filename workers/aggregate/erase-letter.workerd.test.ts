import { drizzle } from "drizzle-orm/d1";
import { expect, test } from "vitest";
import { erasedUser } from "../../shared/erased-user.ts";
import { decodeRawMessage } from "../../shared/messages/raw.ts";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { createErasure, nextErasure, readErasure } from "../directory/erasures.ts";
import { erasures } from "../directory/schema.ts";
import { gunzip } from "../gzip.ts";
import { deadLetterKey } from "./dead-letter-key.ts";
import { erasePass } from "./erasure.ts";
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

const runErasure = async (RAW?: unknown) => {
  const env = { ...workerEnv, ...S3, ...(RAW === undefined ? { RAW: undefined } : { RAW }) } as typeof workerEnv;
  let passes = 0;
  while (await erasePass(env, Date.now())) if (++passes > 10) throw new Error("it does not end");
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
  await workerEnv.ARCHIVE.put(deadLetterKey(QUEUE, "poison"), "poison");
  const before = await usersIn(letter.id);
  expect(before.columns).toEqual([...Array.from({ length: 4 }, () => ERASED), OTHER, OTHER].sort());
  const { id } = await begin();
  await runErasure();
  for (const key of [letter.id, "gone-before"]) {
    expect(await usersIn(key)).toEqual({ lines: left, columns: left, rest: before.rest });
  }
  expect(await bodyOf("poison")).toHaveLength(6);
  expect(await readErasure(workerEnv.DIRECTORY, id)).toMatchObject({ state: "done", letters: 2, unreadable: 1 });

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
