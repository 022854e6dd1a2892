import { drizzle } from "drizzle-orm/d1";
import { usersBeingErased } from "../directory/erasures.ts";
import { deadLetters } from "../directory/schema.ts";
import { log } from "../log.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import { deadLetterKey } from "./dead-letter-key.ts";
import type { Env } from "./env.ts";
import { eraseLetter } from "./erase-letter.ts";
import { retryDelayS } from "./retry.ts";

/** What a message that comes out of a dead-letter queue died of; the last failure itself is in the log. */
const EXHAUSTED = "every delivery failed";

const NOBODY: ReadonlySet<string> = new Set();

/** Keeps messages that a consumer could not deal with in all its tries. */
export async function consumeDead(batch: MessageBatch, env: Env): Promise<void> {
  const queue = batch.queue.replace(/-dead$/, "");
  for (const message of batch.messages) await buryMessage(env, queue, message, EXHAUSTED);
}

/**
 * Keeps a message for an operator: the body in the archive bucket, the rest in the directory, both under the message's id, so
 * that burying it twice leaves one. Acknowledges it then; if it cannot be kept, it is delivered again.
 */
export async function buryMessage(env: Env, queue: string, message: Message, reason: string): Promise<void> {
  try {
    const body = bytesOf(message.body);
    const bodyKey = deadLetterKey(queue, message.id);
    await env.ARCHIVE.put(bodyKey, body);
    await drizzle(env.DIRECTORY)
      .insert(deadLetters)
      .values({
        id: message.id,
        queue,
        reason,
        attempts: message.attempts,
        bodyKey,
        bodyBytes: body.byteLength,
        sentAt: message.timestamp.getTime(),
        deadAt: Date.now(),
      })
      .onConflictDoNothing();
    // Asked after it is kept: an erasure that begins later finds it itself.
    const users = queue === "tally-raw" ? await usersBeingErased(env.DIRECTORY) : NOBODY;
    if (users.size > 0) await eraseLetter(env.ARCHIVE, bodyKey, users);
    log("error", "dead letter", { queue, id: message.id, reason, attempts: message.attempts });
    message.ack();
    isolateMeter.count("queue_messages", 1, queue, "buried");
  } catch (error) {
    log("error", "dead letter could not be kept", { queue, id: message.id, error });
    message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
}
