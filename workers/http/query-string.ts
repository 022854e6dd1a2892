import type { Context } from "hono";
import { err, ok, type Result } from "../../shared/result.ts";
import { invalidParameter, type Problem } from "./problem.ts";

/** Raw query parameters by name. */
export type Query = Readonly<Record<string, string>>;

/**
 * The parameters of a request, each of them known and given once: what is ignored in silence answers another question than was asked.
 */
export function readQuery(given: Readonly<Record<string, string[]>>, known: readonly string[]): Result<Query, Problem> {
  const query: Record<string, string> = {};
  for (const [name, values] of Object.entries(given)) {
    const [value] = values;
    if (!known.includes(name)) {
      const right = known.length === 0 ? "There are none here." : `There are ${known.join(", ")}.`;
      return err(invalidParameter(name.slice(0, 64), "unknown_parameter", right));
    }
    if (value === undefined || values.length > 1) {
      const right = name === "currency" ? "Give it once; several go as currency=JPY,USD." : "Give it once.";
      return err(invalidParameter(name, "repeated_parameter", right));
    }
    query[name] = value;
  }
  return ok(query);
}

/** What is wrong with a call that takes no parameters, if it has one. */
export function strayParameter(c: Context): Problem | undefined {
  // Most calls have none, and their address need not be parsed.
  if (!c.req.url.includes("?")) return undefined;
  const read = readQuery(c.req.queries(), []);
  return read.ok ? undefined : read.error;
}
