import { z } from "zod";
import { err, ok, type Result } from "../result.ts";
import { type WindowRow, windowRowSchema } from "../window-row.ts";

/** A message on the WINDOWS queue: the platform's limit is 128,000 bytes, of which its own overhead takes some 100 (Cloudflare Queues, "Limits"). */
export const WINDOWS_MESSAGE_BYTES_MAX = 127_500;

/** A reason is kept with the dead letter; thousands of faults need not all be in it. */
const REASON_LENGTH_MAX = 1_000;

/**
 * Closed or corrected windows of one shard. `emission` and `part` let the consumer tell the shard what has been stored,
 * which is when the shard may forget it.
 */
export interface WindowsMessage {
  /** The Durable Object id, in hex. */
  readonly shard: string;
  /** Of no other emission of the shard; a number to confirm it by. */
  readonly emission: number;
  readonly part: number;
  readonly rows: readonly WindowRow[];
}

const messageSchema = z.object({
  v: z.literal(1),
  shard: z.string().regex(/^[0-9a-f]{64}$/),
  emission: z.int().min(0),
  part: z.int().min(0),
  rows: z.array(windowRowSchema),
});

/** The message as JSON text, which travels gzipped. */
export function encodeWindowsMessage(message: WindowsMessage): string {
  return JSON.stringify({ v: 1, ...message });
}

/** Reads the JSON text; the rows come back as they will be inserted. */
export function decodeWindowsMessage(text: string): Result<WindowsMessage, { readonly reason: string }> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err({ reason: "not JSON" });
  }
  const parsed = messageSchema.safeParse(json);
  if (!parsed.success) return err({ reason: z.prettifyError(parsed.error).slice(0, REASON_LENGTH_MAX) });
  const { rows: _, v: __, ...envelope } = parsed.data;
  return ok({ ...envelope, rows: (json as { rows: WindowRow[] }).rows });
}
