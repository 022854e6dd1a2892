import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

/**
 * The session's cookie. `__Host-` binds it to this host and to HTTPS: no subdomain and no plain connection can set it. On a loopback address over
 * HTTP, where browsers take no such cookie, it has a plain name. Strict: no request that another site causes carries it, not even a link; the
 * dashboard's page needs none, and what it then asks for itself is its own site's.
 */
const NAME = "tally_session";

export function sessionCookie(c: Context): string | undefined {
  // Most requests have no cookie at all.
  if (c.req.raw.headers.get("Cookie") === null) return undefined;
  return isLoopback(c) ? getCookie(c, NAME) : getCookie(c, NAME, "host");
}

export function setSessionCookie(c: Context, value: string, maxAgeS: number): void {
  setCookie(c, NAME, value, { ...attributes(c), maxAge: maxAgeS });
}

export function clearSessionCookie(c: Context): void {
  deleteCookie(c, NAME, attributes(c));
}

function attributes(c: Context) {
  const common = { path: "/", httpOnly: true, sameSite: "Strict" } as const;
  return isLoopback(c) ? common : { ...common, secure: true, prefix: "host" as const };
}

function isLoopback(c: Context): boolean {
  const { protocol, hostname } = new URL(c.req.url);
  return protocol === "http:" && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
