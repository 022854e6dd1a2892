import type { Context } from "hono";

/** Sets headers on an answer that stands already: in place where it can be changed, since Hono copies the whole answer for each header otherwise. */
export function setHeaders(c: Context, headers: readonly (readonly [name: string, value: string])[]): void {
  for (const [name, value] of headers) {
    try {
      c.res.headers.set(name, value);
    } catch {
      // Of the cache or of another server: Hono's copy can be changed, for the headers after this one too.
      c.header(name, value);
    }
  }
}
