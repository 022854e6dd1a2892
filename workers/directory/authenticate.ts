import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { type SourceMapping, sourceMappingSchema } from "../../shared/source-mapping.ts";
import { askDirectory } from "./ask-directory.ts";
import { directoryCache } from "./isolate-cache.ts";
import { type KeyRole, type ParsedKey, parseKey, secretMatches } from "./key.ts";
import { keys, sources } from "./schema.ts";
import { DirectoryUnavailable } from "./unavailable.ts";

/** Who a request speaks for. A source with `merchants: null` may send for all of them; with a `mapping` also change events of a database. */
export type Principal =
  | {
      readonly kind: "source";
      readonly id: string;
      readonly merchants: ReadonlySet<string> | null;
      readonly mapping: SourceMapping | null;
    }
  | { readonly kind: "merchant"; readonly merchantId: string; readonly role: KeyRole }
  | { readonly kind: "operator"; readonly name: string };

/** How long an isolate trusts what it looked up: a revoked key may work that much longer. */
export const KEY_TTL_MS = 60_000;
/** While the directory does not answer, a key that was looked up so lately goes on working, unless it expires. */
export const KEY_AWAY_MS_MAX = 5 * 60_000;
/** An unknown key is asked for again sooner, since it may have been created meanwhile. */
export const UNKNOWN_KEY_TTL_MS = 5_000;

/** Whom a key was found to speak for, and until when it may at the most. */
export interface Admission {
  readonly principal: Principal;
  readonly keyId: string;
  readonly expiresMs: number;
}

const merchantIdsSchema = z.array(z.string()).nullable();

/**
 * Whom an `Authorization: Bearer` header speaks for, `null` for nobody. With `mayLookUp` of false a key that this isolate does not know is nobody's, without
 * the directory being asked. Throws `DirectoryUnavailable`.
 */
export async function authenticate(
  directory: D1Database,
  authorization: string | null | undefined,
  nowMs: number,
  mayLookUp = true,
): Promise<Admission | null> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return token === undefined ? null : await authenticateKey(directory, token, nowMs, mayLookUp);
}

/** Whom a whole key, with its secret, speaks for. */
export async function authenticateKey(
  directory: D1Database,
  token: string,
  nowMs: number,
  mayLookUp = true,
): Promise<Admission | null> {
  const key = parseKey(token);
  // What is no key by its form is not remembered, or anybody could push the real ones out of the cache.
  if (key === undefined) return null;
  return await remembered(directory, token, nowMs, mayLookUp ? () => lookUp(directory, key, nowMs) : undefined);
}

/**
 * Whom a key speaks for that was shown before, as when a session was made of it. `proof` is what it was shown for, and what the isolate
 * remembers it under: as with a key, a revocation is known within `KEY_TTL_MS`.
 */
export async function resumeKey(
  directory: D1Database,
  keyId: string,
  proof: string,
  nowMs: number,
): Promise<Admission | null> {
  return await remembered(directory, proof, nowMs, () => lookUp(directory, { id: keyId }, nowMs));
}

async function remembered(
  directory: D1Database,
  name: string,
  nowMs: number,
  lookUp: (() => Promise<Admission | undefined>) | undefined,
): Promise<Admission | null> {
  const { known, unknown } = directoryCache();
  const already = known.get(name, nowMs);
  if (already !== undefined && nowMs < already.readMs + KEY_TTL_MS) return already.admission;
  if (lookUp === undefined || unknown.get(name, nowMs) !== undefined) return null;
  let admission: Admission | undefined;
  try {
    admission = await askDirectory(directory, lookUp);
  } catch (error) {
    if (already === undefined || !(error instanceof DirectoryUnavailable)) throw error;
    return already.admission;
  }
  if (admission === undefined) {
    known.delete(name);
    unknown.set(name, true, nowMs + UNKNOWN_KEY_TTL_MS);
    return null;
  }
  known.set(name, { admission, readMs: nowMs }, Math.min(admission.expiresMs, nowMs + KEY_AWAY_MS_MAX));
  return admission;
}

/** Without a secret it was checked before, and the key is only asked whether it still holds. */
async function lookUp(
  directory: D1Database,
  { id, secret }: Pick<ParsedKey, "id"> & Partial<ParsedKey>,
  nowMs: number,
): Promise<Admission | undefined> {
  const rows = await drizzle(directory)
    .select({ key: keys, source: sources })
    .from(keys)
    .leftJoin(sources, eq(keys.subject, sources.id))
    .where(eq(keys.id, id));
  const row = rows[0];
  if (row === undefined) return undefined;
  if (secret !== undefined && !(await secretMatches(secret, row.key.secretHash))) return undefined;
  const expiresMs = row.key.expiresAt ?? Number.POSITIVE_INFINITY;
  if (row.key.revokedAt !== null || expiresMs <= nowMs) return undefined;
  const principal = principalOf(row.key, row.source);
  return principal === undefined ? undefined : { principal, keyId: id, expiresMs };
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
      // What does not say that it manages does not.
      return { kind: "merchant", merchantId: key.subject, role: key.role ?? "read" };
    case "operator":
      return { kind: "operator", name: key.subject };
    default:
      return key.kind satisfies never;
  }
}

/** What a principal is called: the source's id, the merchant's, or the operator's name. */
export function subjectOf(principal: Principal): string {
  switch (principal.kind) {
    case "source":
      return principal.id;
    case "merchant":
      return principal.merchantId;
    case "operator":
      return principal.name;
    default:
      return principal satisfies never;
  }
}
