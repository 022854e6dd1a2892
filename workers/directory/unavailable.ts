/** D1 does not answer: nobody can be told who they are, or where a window lives. */
export class DirectoryUnavailable extends Error {}

/** What the directory answers, its failures as `DirectoryUnavailable`. */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new DirectoryUnavailable("the directory does not answer", { cause });
  }
}
