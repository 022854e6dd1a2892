import { err, ok, type Result } from "../../shared/result.ts";
import { startDeadline } from "../deadline.ts";

/** What somebody answered, or why there is no answer. */
export type Answered<T> = Result<{ readonly value: T; readonly tookMs: number }, string>;

/** Asks, and waits no longer than `timeoutMs`: whoever hangs holds up nobody else, and says so by its reason. */
export async function answeredWithin<T>(timeoutMs: number, ask: () => Promise<T>): Promise<Answered<T>> {
  const beganMs = Date.now();
  const deadline = startDeadline(timeoutMs);
  const answer = ask().then(
    (value) => ok({ value, tookMs: Math.max(0, Date.now() - beganMs) }),
    (error: unknown) => err(reasonOf(error)),
  );
  const passed = deadline.passing.then(() => err(`no answer in ${timeoutMs / 1000} s`));
  const answered = await Promise.race([answer, passed]);
  deadline.cancel();
  return answered;
}

const REASON_CHARS_MAX = 300;

/** The first line of what went wrong, and of what that was because of; an operator reads it, nobody else. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, REASON_CHARS_MAX);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const [line = ""] = `${error.message}${cause}`.split("\n");
  return (line === "" ? error.name : line).slice(0, REASON_CHARS_MAX);
}
