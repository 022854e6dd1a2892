import { and, asc, desc, eq, inArray, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { deadLetters } from "../directory/schema.ts";
import type { Problem } from "../http/problem.ts";
import { sendAll } from "../queue.ts";
import type { Env } from "./env.ts";

export const DEAD_LETTERS_LISTED_MAX = 100;
/** Letters one call puts back; ids go to D1 as parameters, of which it takes a hundred. */
export const DEAD_LETTERS_REDRIVEN_MAX = 50;

/** The newest dead letters of both queues; those that were put back are not among them. */
export async function listDeadLetters(directory: D1Database, nowMs: number) {
  const rows = await drizzle(directory)
    .select()
    .from(deadLetters)
    .where(isNull(deadLetters.redrivenAt))
    .orderBy(desc(deadLetters.deadAt))
    .limit(DEAD_LETTERS_LISTED_MAX);
  return {
    dead_letters: rows.map((row) => ({
      id: row.id,
      queue: row.queue,
      reason: row.reason,
      attempts: row.attempts,
      body_key: row.bodyKey,
      body_bytes: row.bodyBytes,
      sent_at: new Date(row.sentAt).toISOString(),
      dead_at: new Date(row.deadAt).toISOString(),
      age_s: Math.max(0, Math.floor((nowMs - row.sentAt) / 1000)),
    })),
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
