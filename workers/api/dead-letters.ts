import { and, asc, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { discardLetter } from "../aggregate/discard-letter.ts";
import { eraseLetter, isLetterOfEvents } from "../aggregate/erase-letter.ts";
import { usersBeingErased } from "../directory/erasures.ts";
import { deadLetters } from "../directory/schema.ts";
import type { Problem } from "../http/problem.ts";
import { sendAll } from "../queue.ts";
import type { Env } from "./env.ts";
import type { deadLettersSchema } from "./operate-schema.ts";
import { readPage } from "./page.ts";

const LOG = "tally-raw";
const GONE = "its body is gone: put it back, and it is listed no more";
const UNKNOWN = "there is no such letter, or it was put back or discarded before";
/** Letters one call puts back; ids go to D1 as parameters, of which it takes a hundred. */
export const DEAD_LETTERS_REDRIVEN_MAX = 50;

const NOBODY: ReadonlySet<string> = new Set();

/** By its id one is taken that was noted as discarded, too: cut off then, it still has its body. */
const isNotPutBack = isNull(deadLetters.redrivenAt);
const isWaiting = and(isNotPutBack, isNull(deadLetters.discardedAt));

/** Where a page ends: letters may have died at the same time. */
const positionSchema = z.strictObject({ deadAt: z.int(), id: z.string() });

/** A page of the dead letters of both queues, the newest first; those that were put back or discarded are not among them. */
export async function listDeadLetters(
  directory: D1Database,
  given: Readonly<Record<string, string[]>>,
  nowMs: number,
): Promise<Result<z.output<typeof deadLettersSchema>, Problem>> {
  const page = await readPage(given, {
    position: positionSchema,
    positionOf: ({ deadAt, id }: DeadLetter) => ({ deadAt, id }),
    read: async ({ after, limit }) => ok(await readDeadLetters(directory, after, limit)),
  });
  if (!page.ok) return page;
  const { items, next_cursor } = page.value;
  return ok({ dead_letters: items.map((letter) => present(letter, nowMs)), next_cursor });
}

type DeadLetter = typeof deadLetters.$inferSelect;

async function readDeadLetters(
  directory: D1Database,
  after: z.output<typeof positionSchema> | undefined,
  limit: number,
): Promise<DeadLetter[]> {
  const isAfter =
    after === undefined ? undefined : sql`(${deadLetters.deadAt}, ${deadLetters.id}) < (${after.deadAt}, ${after.id})`;
  return await drizzle(directory)
    .select()
    .from(deadLetters)
    .where(and(isWaiting, isAfter))
    .orderBy(desc(deadLetters.deadAt), desc(deadLetters.id))
    .limit(limit);
}

function present(row: DeadLetter, nowMs: number) {
  return {
    id: row.id,
    queue: row.queue,
    reason: row.reason,
    attempts: row.attempts,
    body_key: row.bodyKey,
    body_bytes: row.bodyBytes,
    sent_at: new Date(row.sentAt).toISOString(),
    dead_at: new Date(row.deadAt).toISOString(),
    age_s: Math.max(0, Math.floor((nowMs - row.sentAt) / 1000)),
  };
}

/** The body of `POST /v1/admin/dead-letters/redrive`. */
export const redriveRequestSchema = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(200)).min(1).max(DEAD_LETTERS_REDRIVEN_MAX) }),
  z.strictObject({ all: z.literal(true), queue: z.enum(["tally-raw", "tally-windows"]).optional() }),
]);

/**
 * Puts dead letters back on their queues: those named, or all of them, the oldest first, up to the limit of a call. A letter is marked after the queue has
 * it, so one may be put back twice, which every consumer takes; none is lost. Its body stays where it is.
 */
export async function redriveDeadLetters(env: Env, body: unknown, nowMs: number): Promise<Result<object, Problem>> {
  const request = redriveRequestSchema.safeParse(body);
  if (!request.success) return err(refusal(z.prettifyError(request.error)));
  const asked = request.data;
  const db = drizzle(env.DIRECTORY);
  const which =
    "ids" in asked
      ? and(isNotPutBack, inArray(deadLetters.id, asked.ids))
      : and(isWaiting, asked.queue === undefined ? undefined : eq(deadLetters.queue, asked.queue));
  const rows = await db
    .select()
    .from(deadLetters)
    .where(which)
    .orderBy(asc(deadLetters.deadAt))
    .limit(DEAD_LETTERS_REDRIVEN_MAX + 1);
  const redriven: string[] = [];
  const failed: { readonly id: string; readonly reason: string }[] = [];
  for (const { id, queue, bodyKey, discardedAt } of rows.slice(0, DEAD_LETTERS_REDRIVEN_MAX)) {
    const producer = queue === LOG ? env.RAW : queue === "tally-windows" ? env.WINDOWS : undefined;
    // One that could not be read when an erasure came by it would go behind its back, into hours that are done. Asked for each: one may begin meanwhile.
    const users = queue === LOG ? await usersBeingErased(env.DIRECTORY) : NOBODY;
    if (users.size > 0) await eraseLetter(env.ARCHIVE, bodyKey, users);
    const letter = await env.ARCHIVE.get(bodyKey);
    if (letter === null && discardedAt !== null) {
      failed.push({ id, reason: UNKNOWN });
      continue;
    }
    if (producer === undefined || letter === null) {
      failed.push({ id, reason: letter === null ? "its body is gone" : `there is no queue ${queue}` });
      // It will never do, and must not stand in the way of others.
      await db.update(deadLetters).set({ redrivenAt: nowMs }).where(eq(deadLetters.id, id));
      continue;
    }
    await sendAll(producer, [new Uint8Array(await letter.arrayBuffer())]);
    const undiscarded = discardedAt === null ? {} : { discardedAt: null, bodySha256: null };
    await db
      .update(deadLetters)
      .set({ redrivenAt: nowMs, ...undiscarded })
      .where(eq(deadLetters.id, id));
    redriven.push(id);
  }
  const unknown = "ids" in asked ? asked.ids.filter((id) => !rows.some((row) => row.id === id)) : [];
  failed.push(...unknown.map((id) => ({ id, reason: UNKNOWN })));
  return ok({ redriven, failed, more: rows.length > DEAD_LETTERS_REDRIVEN_MAX });
}

/** The body of `POST /v1/admin/dead-letters/discard`. */
export const discardRequestSchema = z.strictObject({
  ids: z.array(z.string().min(1).max(200)).min(1).max(DEAD_LETTERS_REDRIVEN_MAX),
});

/**
 * Removes the bodies of dead letters for good: of windows, which their shard sends again, and of messages of the log that cannot be read. One that can be read is
 * events that were accepted, and is left. One whose discarding was cut off before its body was removed is discarded again.
 */
export async function discardDeadLetters(env: Env, body: unknown, nowMs: number): Promise<Result<object, Problem>> {
  const request = discardRequestSchema.safeParse(body);
  if (!request.success) return err(refusal(z.prettifyError(request.error), "No dead letter was discarded"));
  const { ids } = request.data;
  const rows = await drizzle(env.DIRECTORY)
    .select()
    .from(deadLetters)
    .where(and(isNotPutBack, inArray(deadLetters.id, ids)));
  const discarded: string[] = [];
  const failed: { readonly id: string; readonly reason: string }[] = [];
  for (const id of new Set(ids)) {
    const row = rows.find((row) => row.id === id);
    const reason = await discardRow(env, row, nowMs);
    if (reason === undefined) discarded.push(id);
    else failed.push({ id, reason });
  }
  return ok({ discarded, failed });
}

/** Why it was not discarded, if it was not. */
async function discardRow(env: Env, row: DeadLetter | undefined, nowMs: number): Promise<string | undefined> {
  if (row === undefined) return UNKNOWN;
  const letter = await env.ARCHIVE.get(row.bodyKey);
  if (letter === null) return row.discardedAt === null ? GONE : UNKNOWN;
  const bytes = new Uint8Array(await letter.arrayBuffer());
  if (row.queue === LOG && isLetterOfEvents(bytes)) return "it has events that were accepted: put it back";
  await discardLetter(env, row.bodyKey, bytes, nowMs);
  return undefined;
}

function refusal(detail: string, title = "No dead letter was put back"): Problem {
  return { status: 422, code: "invalid_body", title, detail };
}
