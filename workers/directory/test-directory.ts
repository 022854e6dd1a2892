import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import type { SourceMappingInput } from "../../shared/source-mapping.ts";
import { type KeyKind, type KeyRole, mintKey } from "./key.ts";
import { keys, sources } from "./schema.ts";

const files = import.meta.glob("../../migrations/*.sql", { query: "?raw", import: "default", eager: true });

/** All of `migrations/`, in their order. */
export const MIGRATIONS: readonly string[] = Object.keys(files)
  .sort()
  .map((name) => files[name] ?? "");

/** The D1 database of a test that runs in workerd, with the real schema. */
export async function openDirectory(): Promise<D1Database> {
  const { DIRECTORY } = env as unknown as { readonly DIRECTORY: D1Database };
  for (const migration of MIGRATIONS) await migrate(DIRECTORY, migration);
  return DIRECTORY;
}

/** Applies one migration. */
export async function migrate(directory: D1Database, migration: string): Promise<void> {
  await directory.batch(migration.split("--> statement-breakpoint").map((statement) => directory.prepare(statement)));
}

/** Adds a source that may send for these merchants, `null` for all. */
export async function addSource(
  directory: D1Database,
  id: string,
  merchants: readonly string[] | null,
  mapping: SourceMappingInput | null = null,
): Promise<void> {
  await drizzle(directory).insert(sources).values({ id, name: id, merchants, mapping, createdAt: 0 });
}

/** Adds a key, which reads if it is a merchant's and no role is named; answers what a client sends. */
export async function addKey(
  directory: D1Database,
  kind: KeyKind,
  subject: string,
  more: {
    readonly expiresAt?: number;
    readonly revokedAt?: number;
    readonly replacedBy?: string;
    readonly role?: KeyRole;
  } = {},
): Promise<{ readonly id: string; readonly token: string; readonly authorization: string }> {
  const { id, token, secretHash } = await mintKey(kind, crypto.getRandomValues(new Uint8Array(40)));
  await drizzle(directory)
    .insert(keys)
    .values({ id, kind, subject, role: kind === "merchant" ? "read" : null, secretHash, createdAt: 0, ...more });
  return { id, token, authorization: `Bearer ${token}` };
}
