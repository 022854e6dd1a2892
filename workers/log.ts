import { DrizzleQueryError } from "drizzle-orm";
import { withoutKeySecrets } from "./directory/key.ts";
import { errorStack, errorText } from "./error-text.ts";

/** Lines of one message that an isolate writes in a minute: an outage says the same of each request, and each line is paid for. */
export const LINES_PER_MINUTE_MAX = 100;
const MINUTE_MS = 60_000;

/**
 * One JSON line a fact: its level, what happened (`message`, always the same words for the same thing), and the fields. A request's id is `request`, those of several
 * `requests`. Nothing of an event but its ids ever goes in, no body, and of a key no more than its id; an error is logged with its stack. What is said more than so often in a minute is
 * left out, and the next line says how often (`left_out`).
 */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  const said = admitted(message, Date.now());
  if (said === undefined) return;
  const { error, ...rest } = fields;
  const cause =
    error instanceof Error
      ? { error: error instanceof DrizzleQueryError ? errorText(error) : error.message, stack: errorStack(error) }
      : error === undefined
        ? {}
        : { error: String(error) };
  console[level](withoutKeySecrets(JSON.stringify({ level, message, ...said, ...rest, ...cause })));
}

/** By message; there are as many as there are calls of `log` in the program. */
const written = new Map<string, { minute: number; lines: number; leftOut: number }>();

/** What goes into the line beside the rest; `undefined` when there is to be none. */
function admitted(message: string, nowMs: number): { readonly left_out?: number } | undefined {
  const minute = Math.floor(nowMs / MINUTE_MS);
  let count = written.get(message);
  if (count === undefined) {
    count = { minute, lines: 0, leftOut: 0 };
    written.set(message, count);
  }
  const { leftOut } = count;
  if (count.minute !== minute) Object.assign(count, { minute, lines: 0, leftOut: 0 });
  if (count.lines >= LINES_PER_MINUTE_MAX) {
    count.leftOut += 1;
    return undefined;
  }
  count.lines += 1;
  return count.lines === 1 && leftOut > 0 ? { left_out: leftOut } : {};
}
