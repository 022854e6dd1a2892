import { withoutKeySecrets } from "./directory/key.ts";

/** One JSON line a fact. Nothing of an event but its ids ever goes in, and of a key no more than its id; an error is logged with its stack. */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  const { error, ...rest } = fields;
  const cause =
    error instanceof Error
      ? { error: error.message, stack: error.stack }
      : error === undefined
        ? {}
        : { error: String(error) };
  console[level](withoutKeySecrets(JSON.stringify({ level, message, ...rest, ...cause })));
}
