export type FailureWords = Readonly<Record<string, string>>;

/** Codes of the network, as Node has them, in words for a person. */
export const NETWORK_WORDS: FailureWords = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "no such host",
};

/** A caught error in a few words. */
export function failureText(error: unknown, words: FailureWords = NETWORK_WORDS): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch` of Node always fails with the TypeError "fetch failed" and hides its reason in `cause`.
  if (error instanceof TypeError && error.cause instanceof Error) return failureText(error.cause, words);
  // Several addresses of one host were tried; they fail alike.
  if (error instanceof AggregateError && error.errors.length > 0) return failureText(error.errors[0], words);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return words[code] ?? (error.message || code || error.name);
}
