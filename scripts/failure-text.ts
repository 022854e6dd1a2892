const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "no such host",
  Z_BUF_ERROR: "the gzip data ends too early",
  Z_DATA_ERROR: "the gzip data is damaged",
};

/** A caught error in a few words for a person. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch` always fails with the TypeError "fetch failed" and hides its reason in `cause`.
  if (error instanceof TypeError && error.cause instanceof Error) return failureText(error.cause);
  // Several addresses of one host were tried; they fail alike.
  if (error instanceof AggregateError && error.errors.length > 0) return failureText(error.errors[0]);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return WORDS[code] ?? (error.message || code || error.name);
}
