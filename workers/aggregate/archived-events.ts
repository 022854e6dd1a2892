import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { acceptEvent } from "../../shared/accept-event.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { err, ok, type Result } from "../../shared/result.ts";

/** The RAW consumer writes objects of 13 MB at most; one beyond this is none of its. */
export const ARCHIVE_OBJECT_BYTES_MAX = 16_000_000;
/** Lines of one object, unpacked; they are read as they come, never all at once. */
const ARCHIVE_TEXT_BYTES_MAX = 1_000_000_000;
/** A line is some 5 KB at most. */
const LINE_LENGTH_MAX = 100_000;

const provenanceSchema = z.object({ received_at: z.int().min(0) });

export interface ArchivedEvent {
  readonly event: PaymentEvent;
  readonly receivedAtMs: number;
}

/**
 * Gives the events of an archive object as they stand in it, and keeps none: of a full object they would take more memory than an isolate has. Lines that
 * are no events are left out, and all that comes after a place where the object cannot be unpacked; `onDamage` is told of either.
 */
export async function readArchived(
  bytes: Uint8Array,
  onEvent: (event: ArchivedEvent) => void,
  onDamage: (error: unknown) => void,
): Promise<void> {
  const faults: unknown[] = [];
  try {
    for await (const line of linesOf(bytes)) {
      const read = readLine(line);
      if (read.ok) onEvent(read.value);
      else faults.push(read.error);
    }
  } catch (error) {
    onDamage(error);
  }
  if (faults.length > 0) onDamage(new Error(`${faults.length} lines are no events; the first: ${String(faults[0])}`));
}

function readLine(line: string): Result<ArchivedEvent, unknown> {
  try {
    const json: unknown = JSON.parse(line);
    const accepted = acceptEvent(json);
    if (!accepted.ok) return err(`${accepted.error.path} ${accepted.error.message}`);
    return ok({ event: accepted.value, receivedAtMs: provenanceSchema.parse(json).received_at });
  } catch (error) {
    return err(error);
  }
}

/** The lines of one or several gzip members. */
async function* linesOf(bytes: Uint8Array): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let unpacked = 0;
  for await (const chunk of Readable.from([bytes]).pipe(createGunzip())) {
    unpacked += chunk.byteLength;
    if (unpacked > ARCHIVE_TEXT_BYTES_MAX) throw new Error(`more than ${ARCHIVE_TEXT_BYTES_MAX} bytes of lines`);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_LENGTH_MAX) throw new Error("a line without end");
    yield* lines;
  }
  if (rest !== "") throw new Error("the last line is cut off");
}
