import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { archivePrefix } from "../../shared/archive-key.ts";
import { erasedUser } from "../../shared/erased-user.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { hoursBetween } from "./archived-hours.ts";
import { PARQUET_STRUCTURE } from "./compact-sql.ts";
import { eraseHour } from "./erase-hour.ts";
import { readManifest } from "./manifest.ts";
import { ARCHIVED_MS, archivedPayment, type Received } from "./sample-payments.ts";
import { ArchiveUnderTest, BYTES_MAX } from "./test-archive.node.ts";

let tested: ArchiveUnderTest;
beforeAll(async () => {
  tested = await ArchiveUnderTest.start();
});
afterAll(() => tested?.stop());
beforeEach(() => tested.empty());

const hashOf = (n: number) => (0x1234_5678_9abc_0000n * BigInt(n + 1)).toString(16).slice(-16).padStart(16, "0");
const EVENTS = 80;
const USERS = Array.from({ length: 40 }, (_, n) => hashOf(n));
const ERASED = USERS.slice(0, 10);

/** Events of all users, in two windows. */
function events(from: number): Received[] {
  return Array.from({ length: EVENTS }, (_, n) => ({
    event: archivedPayment({
      ...{ event_id: `e-${from + n}`, merchant_id: `shop-${n % 3}`, occurred_at: ARCHIVED_MS + (n % 2) * 600_000 + n },
      user: { id: USERS[n % USERS.length] ?? "", gender: "female" },
    }),
    ...{ receivedAtMs: ARCHIVED_MS + HOUR_MS, batch: `r-${from}` },
  }));
}

let passes = 0;

async function erase(bucket = tested.bucket, bytesMax = BYTES_MAX) {
  passes += 1;
  const env = { ...tested.env, ARCHIVE: bucket };
  for await (const hour of hoursBetween(bucket, ARCHIVED_MS, ARCHIVED_MS + HOUR_MS)) {
    const limits = { nowMs: Date.now() + passes, bytesMax };
    return await eraseHour(env, requiredArchiveS3(env), hour, ERASED, limits);
  }
  throw new Error("the hour is empty");
}

async function usersInParquet(): Promise<Set<string>> {
  const { url, keyId, secret } = tested.archive.s3;
  const keys = await tested.keysOf(archivePrefix(ARCHIVED_MS), ".parquet");
  const users = new Set<string>();
  for (const key of keys) {
    const source = `s3('${url}/${key}', '${keyId}', '${secret}', 'Parquet', '${PARQUET_STRUCTURE}')`;
    for (const { user_id } of await tested.query<{ user_id: string }>(`SELECT DISTINCT user_id FROM ${source}`))
      users.add(user_id);
  }
  return users;
}

const left = () => new Set([...USERS.filter((user) => !ERASED.includes(user)), ...ERASED.map(erasedUser)]);

test("users are in no file of an erased hour, the others are, and windows counted from it are the same to the byte", async () => {
  await tested.deliver("a", events(0));
  const before = await tested.counted([ARCHIVED_MS]);
  await tested.compact(ARCHIVED_MS);
  await tested.deliver("late", events(1_000));
  const whole = await tested.counted([ARCHIVED_MS]);
  expect(whole.windows).not.toEqual(before.windows);
  expect(await erase()).toEqual({ events: 40, files: 1, unreadable: 0, leftovers: 0, isMore: false });
  expect(await usersInParquet()).toEqual(left());
  expect(await tested.keysOf(archivePrefix(ARCHIVED_MS), ".ndjson.gz")).toEqual([]);
  expect((await tested.counted([ARCHIVED_MS])).windows).toEqual(whole.windows);
  const { manifest } = await readManifest(tested.bucket, ARCHIVED_MS);
  expect(manifest.files.map(({ events }) => events)).toEqual([2 * EVENTS]);

  expect(await erase()).toMatchObject({ events: 0, files: 0 });
  expect((await readManifest(tested.bucket, ARCHIVED_MS)).manifest).toEqual(manifest);
});

test("an hour of several files is erased file by file", async () => {
  await tested.deliver("a", events(0));
  await tested.compact(ARCHIVED_MS, 1);
  await tested.deliver("b", events(1_000));
  const whole = await tested.counted([ARCHIVED_MS]);
  let done = await erase(tested.bucket, 1);
  while (done.isMore) done = await erase(tested.bucket, 1);
  expect(done).toMatchObject({ events: 40, files: 2 });
  expect(await usersInParquet()).toEqual(left());
  expect((await tested.counted([ARCHIVED_MS])).windows).toEqual(whole.windows);
});

test("an erasure that dies before or after any change of the archive ends, done again, without a trace of the users and with all events", async () => {
  const archive = async () => {
    await tested.empty();
    await tested.deliver("a", events(0));
    await tested.compact(ARCHIVED_MS);
    await tested.deliver("b", events(1_000));
  };
  await archive();
  const whole = await tested.counted([ARCHIVED_MS]);
  for (let change = 0; ; change += 1) {
    for (const isAfter of [false, true]) {
      await archive();
      const dying = dyingAt(tested.bucket, change, isAfter);
      await erase(dying.bucket).catch(() => {});
      if (!dying.isDead()) {
        // Two manifests, and what goes after each.
        expect(change).toBeGreaterThanOrEqual(4);
        return;
      }
      await erase();
      expect(await usersInParquet()).toEqual(left());
      expect((await tested.counted([ARCHIVED_MS])).windows).toEqual(whole.windows);
    }
  }
});

/** A bucket whose caller dies with a change to it: that is made, or not, and nothing is asked or changed after it. */
function dyingAt(bucket: typeof tested.bucket, change: number, isAfter: boolean) {
  let changes = 0;
  let isDead = false;
  const dying = new Proxy(bucket, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        const isDeadly = (name === "put" || name === "delete") && changes++ === change;
        if (isDead || (isDeadly && !isAfter)) {
          isDead = true;
          throw new Error("dead");
        }
        const answer: unknown = await member.apply(target, given);
        isDead ||= isDeadly;
        return answer;
      };
    },
  });
  return { bucket: dying, isDead: () => isDead };
}
