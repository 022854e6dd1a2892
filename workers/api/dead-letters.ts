import { desc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { deadLetters } from "../directory/schema.ts";

export const DEAD_LETTERS_LISTED_MAX = 100;

/** The newest dead letters of both queues. */
export async function listDeadLetters(directory: D1Database) {
  const rows = await drizzle(directory)
    .select()
    .from(deadLetters)
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
    })),
  };
}
