import { and, asc, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { deadLetters } from "../directory/schema.ts";
import type { Problem } from "../http/problem.ts";
import { sendAll } from "../queue.ts";
import type { Env } from "./env.ts";
import type { deadLettersSchema } from "./operate-schema.ts";
import { readPage } from "./page.ts";

/** Letters one call puts back; ids go to D1 as parameters, of which it takes a hundred. */
export const DEAD_LETTERS_REDRIVEN_MAX = 50;

/** Where a page ends: letters may have died at the same time. */
const positionSchema = z.strictObject({ deadAt: z.int(), id: z.string() });

/** A page of the dead letters of both queues, the newest first; those that were put back are not among them. */
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
    .where(and(isNull(deadLetters.redrivenAt), isAfter))
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
      ? inArray(deadLetters.id, asked.ids)
      : asked.queue === undefined
        ? undefined
        : eq(deadLetters.queue, asked.queue);
  const rows = await db
    .select()
    .from(deadLetters)
    .where(and(isNull(deadLetters.redrivenAt), which))
    .orderBy(asc(deadLetters.deadAt))
    .limit(DEAD_LETTERS_REDRIVEN_MAX + 1);
  const redriven: string[] = [];
  const failed: { readonly id: string; readonly reason: string }[] = [];
  for (const { id, queue, bodyKey } of rows.slice(0, DEAD_LETTERS_REDRIVEN_MAX)) {
    const producer = queue === "tally-raw" ? env.RAW : queue === "tally-windows" ? env.WINDOWS : undefined;
    const letter = await env.ARCHIVE.get(bodyKey);
    if (producer === undefined || letter === null) {
      failed.push({ id, reason: letter === null ? "its body is gone" : `there is no queue ${queue}` });
      // It will never do, and must not stand in the way of others.
      await db.update(deadLetters).set({ redrivenAt: nowMs }).where(eq(deadLetters.id, id));
      continue;
    }
    await sendAll(producer, [new Uint8Array(await letter.arrayBuffer())]);
    await db.update(deadLetters).set({ redrivenAt: nowMs }).where(eq(deadLetters.id, id));
    redriven.push(id);
  }
  const unknown = "ids" in asked ? asked.ids.filter((id) => !rows.some((row) => row.id === id)) : [];
  failed.push(...unknown.map((id) => ({ id, reason: "there is no such letter, or it was put back before" })));
  return ok({ redriven, failed, more: rows.length > DEAD_LETTERS_REDRIVEN_MAX });
}

function refusal(detail: string): Problem {
  return { status: 422, code: "invalid_body", title: "No dead letter was put back", detail };
}
