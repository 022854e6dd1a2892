import { startDeadline } from "../deadline.ts";

/** D1 does not answer: nobody can be told who they are, or where a window lives. */
export class DirectoryUnavailable extends Error {}

/** A row by its key takes D1 milliseconds. Whoever asks without a deadline of their own would hang as long as it does. */
export const DIRECTORY_TIMEOUT_MS = 5_000;

/** What the directory answers, its failures and its silence as `DirectoryUnavailable`. */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  const deadline = startDeadline(DIRECTORY_TIMEOUT_MS);
  const silence = deadline.passing.then(() => {
    throw new Error(`no answer in ${DIRECTORY_TIMEOUT_MS / 1000} s`);
  });
  try {
    return await Promise.race([answer, silence]);
  } catch (cause) {
    throw new DirectoryUnavailable("the directory does not answer", { cause });
  } finally {
    deadline.cancel();
  }
}
