/**
 * `JSON.parse` that loses no digit: a number that is no safe integer comes back as the text it is written with, so that ids and amounts
 * of a database are not rounded. Throws like `JSON.parse`.
 */
export function parseExactJson(json: string): unknown {
  return (JSON.parse as ParseWithSource)(json, (_, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) ? (context?.source ?? value) : value,
  );
}

/** ECMAScript 2026, "JSON.parse source text access"; the library of types does not know it yet. */
type ParseWithSource = (
  json: string,
  reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
) => unknown;
