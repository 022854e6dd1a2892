import { drizzle } from "drizzle-orm/d1";
import { beforeAll, expect, test } from "vitest";
import { archiveKey, compactedKey, manifestKey } from "../../shared/archive-key.ts";
import { DAY_MS, HOUR_MS } from "../../shared/window.ts";
import { REPLAYS_KEPT_DAYS } from "../directory/past.ts";
import { deadLetters, replayPasses, replays, uncompactedHours } from "../directory/schema.ts";
import { openDirectory } from "../directory/test-directory.ts";
import type { Env } from "./env.ts";
import { DEAD_LETTERS_KEPT_DAYS, forgetPast } from "./retention.ts";
import { workerEnv } from "./test-shard.ts";

const NOW_MS = Date.UTC(2031, 4, 1, 12);
const KEPT_DAYS = 30;
const cutoffMs = NOW_MS - KEPT_DAYS * DAY_MS;
let env: Env;

beforeAll(async () => {
  env = { ...workerEnv, DIRECTORY: await openDirectory(), ARCHIVE_KEPT_DAYS: String(KEPT_DAYS) };
});

async function keys(prefix: string): Promise<string[]> {
  return (await env.ARCHIVE.list({ prefix })).objects.map(({ key }) => key);
}

test("hours of the archive that are older than configured go, with all that stands in them, and no younger one", async () => {
  const old = [
    archiveKey(cutoffMs - HOUR_MS, "a"),
    compactedKey(cutoffMs - DAY_MS, "b"),
    manifestKey(cutoffMs - DAY_MS),
  ];
  const young = [archiveKey(cutoffMs, "c"), manifestKey(NOW_MS - HOUR_MS)];
  for (const key of [...old, ...young]) await env.ARCHIVE.put(key, "x");
  const waiting = (hourMs: number) => ({ hourMs, firstNotedAt: 1, lastNotedAt: 1 });
  await drizzle(env.DIRECTORY)
    .insert(uncompactedHours)
    .values([waiting(cutoffMs - HOUR_MS), waiting(cutoffMs)]);
  expect(await forgetPast(env, NOW_MS)).toMatchObject({ objects: old.length });
  expect(await keys("raw/v1/")).toEqual([...young].sort());
  expect(await drizzle(env.DIRECTORY).select().from(uncompactedHours)).toMatchObject([{ hourMs: cutoffMs }]);
  expect(await forgetPast(env, NOW_MS)).toMatchObject({ objects: 0 });
});

test("a dead letter is kept for so long, its body too", async () => {
  const letter = (id: string, ageDays: number) => ({
    ...{
      id,
      queue: "tally-raw",
      reason: "x",
      attempts: 1,
      bodyKey: `dead/v1/tally-raw/${id}`,
      bodyBytes: 1,
      sentAt: 0,
    },
    deadAt: NOW_MS - ageDays * DAY_MS,
  });
  const letters = [letter("old", DEAD_LETTERS_KEPT_DAYS + 1), letter("young", DEAD_LETTERS_KEPT_DAYS - 1)];
  await drizzle(env.DIRECTORY).insert(deadLetters).values(letters);
  for (const { bodyKey } of letters) await env.ARCHIVE.put(bodyKey, "x");
  expect(await forgetPast(env, NOW_MS)).toMatchObject({ deadLetters: 1 });
  expect(await keys("dead/v1/")).toEqual(["dead/v1/tally-raw/young"]);
  expect(await drizzle(env.DIRECTORY).select().from(deadLetters)).toMatchObject([{ id: "young" }]);
});

test("a replay of long ago goes with what it found; the audit that reached furthest stays, and so does what runs", async () => {
  const longAgoMs = NOW_MS - (REPLAYS_KEPT_DAYS + 1) * DAY_MS;
  const replay = (id: string, over: Partial<typeof replays.$inferInsert> = {}) => ({
    ...{ id, fromMs: 0, toMs: 1, dryRun: false, state: "done" as const, nextMs: 1 },
    ...{ createdAt: longAgoMs, updatedAt: longAgoMs, ...over },
  });
  await drizzle(env.DIRECTORY)
    .insert(replays)
    .values([
      replay("old"),
      replay("young", { updatedAt: NOW_MS }),
      replay("runs", { state: "running" }),
      replay("audit-1", { askedBy: "audit", toMs: 5 }),
      replay("audit-2", { askedBy: "audit", toMs: 9 }),
    ]);
  const counts = { equal: 0, changed: 0, missing: 0, short: 0, unarchived: 0, events: 0, foundAt: 0, damaged: [] };
  const pass = (replayId: string) => ({ replayId, fromMs: 0, slice: 0, toMs: 1, ...counts });
  await drizzle(env.DIRECTORY)
    .insert(replayPasses)
    .values([pass("old"), pass("young")]);
  expect(await forgetPast(env, NOW_MS)).toMatchObject({ replays: 2 });
  const left = await drizzle(env.DIRECTORY).select({ id: replays.id }).from(replays).orderBy(replays.id);
  expect(left.map(({ id }) => id)).toEqual(["audit-2", "runs", "young"]);
  expect(await drizzle(env.DIRECTORY).select().from(replayPasses)).toMatchObject([{ replayId: "young" }]);
});
