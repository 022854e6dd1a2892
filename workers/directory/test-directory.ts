import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import migration from "../../migrations/0000_directory.sql?raw";
import { type KeyKind, mintKey } from "./key.ts";
import { keys, sources } from "./schema.ts";

/** The D1 database of a test that runs in workerd, with the real schema. */
export async function openDirectory(): Promise<D1Database> {
  const { DIRECTORY } = env as unknown as { readonly DIRECTORY: D1Database };
  await DIRECTORY.batch(migration.split("--> statement-breakpoint").map((statement) => DIRECTORY.prepare(statement)));
  return DIRECTORY;
}

/** Adds a source that may send for these merchants, `null` for all. */
export async function addSource(directory: D1Database, id: string, merchants: readonly string[] | null): Promise<void> {
  await drizzle(directory).insert(sources).values({ id, name: id, merchants, createdAt: 0 });
}

/** Adds a key; answers what a client sends. */
export async function addKey(
  directory: D1Database,
  kind: KeyKind,
  subject: string,
  more: { readonly expiresAt?: number; readonly revokedAt?: number } = {},
): Promise<{ readonly id: string; readonly token: string; readonly authorization: string }> {
  const { id, token, secretHash } = await mintKey(kind, crypto.getRandomValues(new Uint8Array(40)));
  await drizzle(directory)
    .insert(keys)
    .values({ id, kind, subject, secretHash, createdAt: 0, ...more });
  return { id, token, authorization: `Bearer ${token}` };
}
