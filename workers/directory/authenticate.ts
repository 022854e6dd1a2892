import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { BoundedCache } from "../../shared/bounded-cache.ts";
import { type KeyKind, type ParsedKey, parseKey, secretMatches } from "./key.ts";
import { keys, sources } from "./schema.ts";

/** Who a request speaks for. A source with `merchants: null` may send for all of them. */
export type Principal =
  | { readonly kind: "source"; readonly id: string; readonly merchants: ReadonlySet<string> | null }
  | { readonly kind: "merchant"; readonly merchantId: string }
  | { readonly kind: "operator"; readonly name: string };

/** How long an isolate trusts what it looked up: a revoked key may work that much longer. */
export const KEY_TTL_MS = 60_000;
/** An unknown key is asked for again sooner, since it may have been created meanwhile. */
export const UNKNOWN_KEY_TTL_MS = 5_000;
const KEYS_CACHED_MAX = 10_000;

const cache = new BoundedCache<string, Principal | null>(KEYS_CACHED_MAX);

const merchantIdsSchema = z.array(z.string()).nullable();

/**
 * Who the `Authorization: Bearer` header speaks for, `null` when it speaks for nobody this Worker admits.
 * Throws when the directory cannot be asked.
 */
export async function authenticate(
  directory: D1Database,
  authorization: string | null | undefined,
  admitted: readonly KeyKind[],
  nowMs: number,
): Promise<Principal | null> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  const key = token === undefined ? undefined : parseKey(token);
  // What is no key by its form is not remembered, or anybody could push the real ones out of the cache.
  if (token === undefined || key === undefined) return null;
  let principal = cache.get(token, nowMs);
  if (principal === undefined) {
    principal = await lookUp(directory, key, nowMs);
    cache.set(token, principal, nowMs + (principal === null ? UNKNOWN_KEY_TTL_MS : KEY_TTL_MS));
  }
  return principal !== null && admitted.includes(principal.kind) ? principal : null;
}

async function lookUp(directory: D1Database, key: ParsedKey, nowMs: number): Promise<Principal | null> {
  const rows = await drizzle(directory)
    .select({ key: keys, source: sources })
    .from(keys)
    .leftJoin(sources, eq(keys.subject, sources.id))
    .where(eq(keys.id, key.id));
  const row = rows[0];
  if (row === undefined || !(await secretMatches(key.secret, row.key.secretHash))) return null;
  if (row.key.revokedAt !== null || (row.key.expiresAt !== null && row.key.expiresAt <= nowMs)) return null;
  switch (row.key.kind) {
    case "source": {
      if (row.source === null) return null;
      const ids = merchantIdsSchema.parse(row.source.merchants);
      return { kind: "source", id: row.source.id, merchants: ids === null ? null : new Set(ids) };
    }
    case "merchant":
      return { kind: "merchant", merchantId: row.key.subject };
    case "operator":
      return { kind: "operator", name: row.key.subject };
    default:
      return row.key.kind satisfies never;
  }
}
