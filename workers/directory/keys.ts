import { and, desc, eq, getTableColumns, gt, isNotNull, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { err, ok, type Result } from "../../shared/result.ts";
import { type KeyKind, type KeyRole, mintKey } from "./key.ts";
import { keys } from "./schema.ts";
import { orUnavailable } from "./unavailable.ts";

/** A key as it is stored, less the hash. */
export type StoredKey = Omit<typeof keys.$inferSelect, "secretHash">;

/** Of one source, merchant or operator, at a time. */
export const LIVE_KEYS_MAX = 20;
/** With those that were rotated and go on for their overlap: one rotated again and again would be any number otherwise. */
export const LIVE_KEYS_ROTATED_MAX = 2 * LIVE_KEYS_MAX;
/** Of one owner, the newest that have ended are kept to be shown. */
export const ENDED_KEYS_MAX = 100;

/** Whose keys: all of a kind, or of one subject. */
export interface KeyOwner {
  readonly kind: KeyKind;
  readonly subject: string;
}

/** What a key is to be. */
export interface KeyWish {
  readonly name: string | null;
  readonly expiresAt: number | null;
  /** Null for all but a merchant's. */
  readonly role: KeyRole | null;
}

export interface NewKey {
  readonly key: StoredKey;
  /** To be shown once. */
  readonly token: string;
}

export type KeyFault =
  | { readonly reason: "too_many_keys" }
  | { readonly reason: "no_such_key" }
  | { readonly reason: "key_ended" }
  | { readonly reason: "already_rotated"; readonly replacedBy: string };

const { secretHash: _, ...shown } = getTableColumns(keys);

export async function createKey(
  directory: D1Database,
  { kind, subject }: KeyOwner,
  wish: KeyWish,
  nowMs: number,
): Promise<Result<NewKey, KeyFault>> {
  const db = drizzle(directory);
  const { id, token, secretHash } = await mint(kind);
  const { name, role, expiresAt } = wish;
  // Counted and inserted by one statement: of several at once none can go beyond the limit.
  const insert = sql`
    INSERT INTO keys (id, kind, subject, role, secret_hash, created_at, expires_at, name)
    SELECT ${id}, ${kind}, ${subject}, ${role}, ${secretHash}, ${nowMs}, ${expiresAt}, ${name}
    WHERE ${liveOf({ kind, subject }, nowMs)} < ${LIVE_KEYS_MAX}`;
  await orUnavailable(db.run(insert));
  await orUnavailable(dropEnded(directory, { kind, subject }, nowMs).execute());
  const key = await readKey(directory, id);
  return key === undefined ? err({ reason: "too_many_keys" }) : ok({ key, token });
}

/** One key; with an owner, only if it is theirs. */
export async function readKey(directory: D1Database, id: string, owner?: KeyOwner): Promise<StoredKey | undefined> {
  const rows = await drizzle(directory)
    .select(shown)
    .from(keys)
    .where(and(eq(keys.id, id), owner === undefined ? undefined : ownedBy(owner)));
  return rows[0];
}

/** Where a page of keys ends: the next begins after it. */
export interface KeyPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** The newest first, live or not. */
export async function listKeys(
  directory: D1Database,
  { kind, subject }: { readonly kind: KeyKind; readonly subject: string | undefined },
  after: KeyPosition | undefined,
  limit: number,
): Promise<StoredKey[]> {
  return await drizzle(directory)
    .select(shown)
    .from(keys)
    .where(
      and(
        eq(keys.kind, kind),
        subject === undefined ? undefined : eq(keys.subject, subject),
        after === undefined ? undefined : sql`(${keys.createdAt}, ${keys.id}) < (${after.createdAt}, ${after.id})`,
      ),
    )
    .orderBy(desc(keys.createdAt), desc(keys.id))
    .limit(limit);
}

/**
 * Makes a key in the place of one that holds: with its name and role, for as long as it was made for, and the old one expires after the overlap, or when it
 * would have anyway. Of two rotations of the same key at the same time one finds it rotated.
 */
export async function rotateKey(
  directory: D1Database,
  id: string,
  overlapMs: number,
  nowMs: number,
  owner?: KeyOwner,
): Promise<Result<NewKey & { readonly old: StoredKey }, KeyFault>> {
  const db = drizzle(directory);
  const before = await readKey(directory, id, owner);
  if (before === undefined) return err({ reason: "no_such_key" });
  if (before.replacedBy !== null) return err({ reason: "already_rotated", replacedBy: before.replacedBy });
  if (stateOf(before, nowMs) !== "live") return err({ reason: "key_ended" });
  const { kind, subject, role, name } = before;
  const live = await orUnavailable(db.$count(keys, and(ownedBy({ kind, subject }), isLive(nowMs))));
  if (live >= LIVE_KEYS_ROTATED_MAX) return err({ reason: "too_many_keys" });
  const minted = await mint(kind);
  const lifetimeMs = before.expiresAt === null ? null : before.expiresAt - before.createdAt;
  const endOld = db
    .update(keys)
    .set({
      replacedBy: minted.id,
      expiresAt: Math.min(nowMs + overlapMs, before.expiresAt ?? Number.POSITIVE_INFINITY),
    })
    .where(
      and(
        eq(keys.id, id),
        isNull(keys.replacedBy),
        isLive(nowMs),
        sql`${liveOf({ kind, subject }, nowMs)} < ${LIVE_KEYS_ROTATED_MAX}`,
      ),
    )
    .returning(shown);
  // One transaction: there is a new key exactly when the old one was ended for it.
  const insertNew = db
    .insert(keys)
    .select(
      db
        .select({
          id: sql<string>`${minted.id}`.as("id"),
          kind: sql<KeyKind>`${kind}`.as("kind"),
          subject: sql<string>`${subject}`.as("subject"),
          role: sql<KeyRole | null>`${role}`.as("role"),
          secretHash: sql<string>`${minted.secretHash}`.as("secret_hash"),
          createdAt: sql<number>`${nowMs}`.as("created_at"),
          expiresAt: sql<number | null>`${lifetimeMs === null ? null : nowMs + lifetimeMs}`.as("expires_at"),
          revokedAt: sql<number | null>`NULL`.as("revoked_at"),
          name: sql<string | null>`${name}`.as("name"),
          lastUsedAt: sql<number | null>`NULL`.as("last_used_at"),
          replacedBy: sql<string | null>`NULL`.as("replaced_by"),
        })
        .from(keys)
        .where(and(eq(keys.id, id), eq(keys.replacedBy, minted.id))),
    )
    .returning(shown);
  const [[old], [key]] = await orUnavailable(
    db.batch([endOld, insertNew, dropEnded(directory, { kind, subject }, nowMs)]),
  );
  if (old === undefined || key === undefined) return await rotateKey(directory, id, overlapMs, nowMs, owner);
  return ok({ key, token: minted.token, old });
}

/** Ends a key now; one that was revoked before stays as it was. */
export async function revokeKey(
  directory: D1Database,
  id: string,
  nowMs: number,
  owner?: KeyOwner,
): Promise<StoredKey | undefined> {
  const [revoked] = await drizzle(directory)
    .update(keys)
    .set({ revokedAt: sql`coalesce(${keys.revokedAt}, ${nowMs})` })
    .where(and(eq(keys.id, id), owner === undefined ? undefined : ownedBy(owner)))
    .returning(shown);
  return revoked;
}

export type KeyState = "live" | "expired" | "revoked";

export function stateOf({ revokedAt, expiresAt }: StoredKey, nowMs: number): KeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= nowMs ? "expired" : "live";
}

function ownedBy({ kind, subject }: KeyOwner): SQL | undefined {
  return and(eq(keys.kind, kind), eq(keys.subject, subject));
}

/** How many of an owner's hold: a subquery. */
function liveOf(owner: KeyOwner, nowMs: number): SQL {
  return sql`(SELECT count(*) FROM keys WHERE ${and(ownedBy(owner), isLive(nowMs))})`;
}

function isLive(nowMs: number): SQL | undefined {
  return and(isNull(keys.revokedAt), or(isNull(keys.expiresAt), gt(keys.expiresAt, nowMs)));
}

/** All but the newest of an owner's keys that have ended, so that making and ending keys fills nothing. */
function dropEnded(directory: D1Database, owner: KeyOwner, nowMs: number) {
  const ended = and(ownedBy(owner), or(isNotNull(keys.revokedAt), lte(keys.expiresAt, nowMs)));
  const older = sql`SELECT id FROM keys WHERE ${ended} ORDER BY created_at DESC LIMIT -1 OFFSET ${ENDED_KEYS_MAX}`;
  return drizzle(directory).delete(keys).where(sql`${keys.id} IN (${older})`);
}

function mint(kind: KeyKind) {
  return mintKey(kind, crypto.getRandomValues(new Uint8Array(40)));
}
