import { parseExactJson } from "./exact-json.ts";
import { Moment, type Scalar, scalarOf } from "./extended-json.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What Debezium writes for a large value that an update has not touched: not known, which is as good as absent. */
const UNAVAILABLE = "__debezium_unavailable_value";

/**
 * The value of a column, or of a path into a document or a column of JSON; `undefined` where there is none. `false` says that an object
 * or a list stands there.
 */
export function valueAt(row: Row, path: string): { readonly scalar: Scalar | undefined } | false {
  const found = Object.hasOwn(row, path) ? row[path] : path.split(".").reduce<unknown>(memberOf, row);
  return scalarOf(found === UNAVAILABLE ? undefined : found);
}

/** The value of a column as text, where it is a text, a number or a truth value. */
export function textAt(row: Row, path: string): { readonly text: string | undefined } | false {
  const value = valueAt(row, path);
  if (value === false || value.scalar instanceof Moment) return false;
  return { text: value.scalar === undefined ? undefined : String(value.scalar) };
}

function memberOf(at: unknown, key: string): unknown {
  const object = typeof at === "string" ? parsedOf(at) : at;
  if (typeof object !== "object" || object === null || !Object.hasOwn(object, key)) return undefined;
  return (object as Row)[key];
}

/** A column of JSON comes as its text. */
function parsedOf(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
