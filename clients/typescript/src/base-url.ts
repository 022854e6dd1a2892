/** A base URL without a slash at its end. Throws a `RangeError` that says what is wrong with `url`. */
export function baseUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new RangeError(`not a URL: ${url} (one such as http://127.0.0.1:8787 is expected)`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}
