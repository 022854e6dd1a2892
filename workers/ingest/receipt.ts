import type { EventFault } from "../../shared/accept-event.ts";
import type { Ignored } from "../../shared/change-event.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import type { Accepted } from "./accept.ts";

/** What is wrong with one event of the request; `conflict` is said of a duplicate, the others of rejected events. */
export interface EventError extends Omit<EventFault, "code"> {
  readonly index: number;
  readonly event_id?: string | undefined;
  readonly code: EventFault["code"] | "conflict";
}

/** What is not an event and need not be one, and why. */
export interface EventNote extends Ignored {
  readonly index: number;
}

/**
 * The numbers add up to the events of the request; a conflict is among the duplicates. Of change events, one that makes two events counts
 * twice.
 */
export interface Receipt {
  /** Counted now. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Past the lateness horizon: archived, and counted when its window is rebuilt. */
  readonly late: number;
  readonly rejected: number;
  /** Safe in the log, to be counted from there; which of the above they are is not known yet. */
  readonly queued?: number;
  /** Changes of a database that are no payments, such as deletes; left out where there are none, as `notes` is. */
  readonly ignored?: number;
  readonly errors: readonly EventError[];
  /** Why each of those was ignored. */
  readonly notes?: readonly EventNote[];
}

/** The receipt of a request, of whose accepted events `statuses` tells what the shards said (`applyToShards`). */
export function receiptOf(
  { lines, indexes, errors, notes }: Pick<Accepted, "lines" | "indexes" | "errors" | "notes">,
  statuses: Uint8Array,
): Receipt {
  const tally = { accepted: 0, duplicates: 0, late: 0, queued: 0 };
  const conflicts: EventError[] = [];
  indexes.forEach((index, at) => {
    switch (statuses[at]) {
      case STATUS.accepted:
        tally.accepted += 1;
        break;
      case STATUS.conflict:
        conflicts.push(conflictOf(index, lines.event(at).event_id));
        tally.duplicates += 1;
        break;
      case STATUS.duplicate:
        tally.duplicates += 1;
        break;
      case STATUS.late:
        tally.late += 1;
        break;
      default:
        tally.queued += 1;
    }
  });
  const { queued, ...known } = tally;
  return {
    ...known,
    rejected: errors.length,
    ...(queued > 0 ? { queued } : {}),
    ...(notes.length > 0 ? { ignored: notes.length } : {}),
    errors: [...errors, ...conflicts].sort((a, b) => a.index - b.index),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

function conflictOf(index: number, event_id: string): EventError {
  return {
    index,
    event_id,
    code: "conflict",
    message: "seen before with another amount or time; the first one counts",
  };
}
