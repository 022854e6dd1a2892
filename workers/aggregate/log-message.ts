import type { EventBatch } from "../../shared/event-batch.ts";
import { decodeRawMessage, type RawMessage } from "../../shared/messages/raw.ts";
import { decodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { err, ok, type Result } from "../../shared/result.ts";

export interface LogMessage {
  readonly raw: RawMessage;
  readonly batch: EventBatch;
}

/**
 * Reads a message of the log as its consumer counts it, or says what it dies of. What is archived is not looked at: its lines and the columns were made of
 * the same events, by the one who judged them.
 */
export function readLogMessage(body: unknown): Result<LogMessage, { readonly reason: string }> {
  const raw = decodeRawMessage(body);
  if (!raw.ok) return raw;
  const batch = decodeShardBatch(raw.value.columns);
  if (!batch.ok) return batch;
  const promised = raw.value.members.reduce((sum, { events }) => sum + events, 0);
  if (promised !== batch.value.size)
    return err({ reason: `${batch.value.size} events where ${promised} are promised` });
  return ok({ raw: raw.value, batch: batch.value });
}
