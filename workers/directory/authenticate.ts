import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { type SourceMapping, sourceMappingSchema } from "../../shared/source-mapping.ts";
import { directoryCache } from "./isolate-cache.ts";
import { type KeyKind, type ParsedKey, parseKey, secretMatches } from "./key.ts";
import { keys, sources } from "./schema.ts";
import { orUnavailable } from "./unavailable.ts";

/** Who a request speaks for. A source with `merchants: null` may send for all of them; with a `mapping` also change events of a database. */
export type Principal =
  | {
      readonly kind: "source";
      readonly id: string;
      readonly merchants: ReadonlySet<string> | null;
      readonly mapping: SourceMapping | null;
    }
  | { readonly kind: "merchant"; readonly merchantId: string }
  | { readonly kind: "operator"; readonly name: string };

/** How long an isolate trusts what it looked up: a revoked key may work that much longer. */
export const KEY_TTL_MS = 60_000;
/** An unknown key is asked for again sooner, since it may have been created meanwhile. */
export const UNKNOWN_KEY_TTL_MS = 5_000;

/** Whom a key was found to speak for, and until when it may at the most. */
export interface Admission {
  readonly principal: Principal;
  readonly expiresMs: number;
}

const merchantIdsSchema = z.array(z.string()).nullable();

/**
 * Who the `Authorization: Bearer` header speaks for, `null` when it speaks for nobody this Worker admits.
 * Throws `DirectoryUnavailable`.
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
  const admission = directoryCache().known.get(token, nowMs) ?? (await remember(directory, token, key, nowMs));
  return admission !== undefined && admitted.includes(admission.principal.kind) ? admission.principal : null;
}

async function remember(
  directory: D1Database,
  token: string,
  key: ParsedKey,
  nowMs: number,
): Promise<Admission | undefined> {
  const { known, unknown } = directoryCache();
  if (unknown.get(token, nowMs) !== undefined) return undefined;
  const admission = await orUnavailable(lookUp(directory, key, nowMs));
  if (admission === undefined) unknown.set(token, true, nowMs + UNKNOWN_KEY_TTL_MS);
  else known.set(token, admission, Math.min(admission.expiresMs, nowMs + KEY_TTL_MS));
  return admission;
}

async function lookUp(directory: D1Database, key: ParsedKey, nowMs: number): Promise<Admission | undefined> {
  const rows = await drizzle(directory)
    .select({ key: keys, source: sources })
    .from(keys)
    .leftJoin(sources, eq(keys.subject, sources.id))
    .where(eq(keys.id, key.id));
  const row = rows[0];
  if (row === undefined || !(await secretMatches(key.secret, row.key.secretHash))) return undefined;
  const expiresMs = row.key.expiresAt ?? Number.POSITIVE_INFINITY;
  if (row.key.revokedAt !== null || expiresMs <= nowMs) return undefined;
  const principal = principalOf(row.key, row.source);
  return principal === undefined ? undefined : { principal, expiresMs };
}

function principalOf(key: typeof keys.$inferSelect, source: typeof sources.$inferSelect | null): Principal | undefined {
  switch (key.kind) {
    case "source": {
      if (source === null) return undefined;
      const ids = merchantIdsSchema.parse(source.merchants);
      const mapping = sourceMappingSchema.nullable().parse(source.mapping);
      return { kind: "source", id: source.id, merchants: ids === null ? null : new Set(ids), mapping };
    }
    case "merchant":
      return { kind: "merchant", merchantId: key.subject };
    case "operator":
      return { kind: "operator", name: key.subject };
    default:
      return key.kind satisfies never;
  }
}
