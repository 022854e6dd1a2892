/** What a browser says of where a request comes from. */
export type Origin = "own" | "foreign" | "unsaid";

/** Whether a page of this Worker sent the request. Every browser of today sends `Sec-Fetch-Site`, older ones `Origin` with anything unsafe; a program says nothing. */
export function originOf(request: Request): Origin {
  const site = request.headers.get("Sec-Fetch-Site");
  const origin = request.headers.get("Origin");
  if (site === null && origin === null) return "unsaid";
  const isOwnSite = site === null || site === "same-origin";
  const isOwnOrigin = origin === null || origin === new URL(request.url).origin;
  return isOwnSite && isOwnOrigin ? "own" : "foreign";
}

/** What changes nothing (RFC 9110 §9.2.1), and so needs no proof that a page of ours wants it. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
