/** A moment in epoch milliseconds: a value that says by itself that it is one. */
export class Moment {
  readonly ms: string;

  constructor(ms: string) {
    this.ms = ms;
  }
}

/** A value of a row that is no object or array any more; numbers that are no safe integers are text. */
export type Scalar = string | number | boolean | Moment;

/**
 * The scalar that a value of MongoDB's Extended JSON v2 stands for, canonical or relaxed: `$oid`, `$date`, `$numberLong`, `$numberInt`,
 * `$numberDouble`, `$numberDecimal`, `$uuid`, `$symbol`. `null` and `undefined` are no value; `false` says that it is an object of another kind.
 */
export function scalarOf(value: unknown): { readonly scalar: Scalar | undefined } | false {
  if (value === null || value === undefined) return { scalar: undefined };
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return { scalar: value };
  if (typeof value !== "object") return false;
  const [[key, inner] = [], ...more] = Object.entries(value);
  if (key === undefined || more.length > 0) return false;
  if (key === "$date") return dateOf(inner);
  return TEXTS.has(key) && (typeof inner === "string" || typeof inner === "number") ? { scalar: String(inner) } : false;
}

const TEXTS = new Set(["$oid", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$uuid", "$symbol"]);

/** `$date` holds RFC 3339, milliseconds, or milliseconds as `$numberLong`. */
function dateOf(inner: unknown): { readonly scalar: Scalar } | false {
  if (typeof inner === "number") return { scalar: new Moment(String(inner)) };
  if (typeof inner === "string") return { scalar: inner };
  const long = (inner as { readonly $numberLong?: unknown } | null)?.$numberLong;
  return typeof long === "string" || typeof long === "number" ? { scalar: new Moment(String(long)) } : false;
}
