import { DrizzleQueryError } from "drizzle-orm";

/**
 * What an error says, fit for the log and for operators. Of a statement that the directory did not take it is the statement and why, without its values, which
 * its message has all of: hashes of users, addresses of webhooks, what a call was sent with.
 */
export function errorText(error: unknown): string {
  if (error instanceof DrizzleQueryError) return `Failed query: ${error.query}: ${errorText(error.cause)}`;
  return String(error);
}

/** Where it was thrown, beginning with what it says. */
export function errorStack(error: Error): string | undefined {
  if (!(error instanceof DrizzleQueryError)) return error.stack;
  return error.stack?.split(error.message).join(errorText(error));
}
