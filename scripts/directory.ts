import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type SourceMappingInput, sourceMappingSchema } from "../shared/source-mapping.ts";
import { type KeyKind, type KeyRole, mintKey } from "../workers/directory/key.ts";
import { keys, merchants, sources } from "../workers/directory/schema.ts";
import { PROJECT_DIR } from "./build.ts";

const MIGRATIONS_DIR = join(PROJECT_DIR, "migrations");
const STATEMENT_BREAK = "--> statement-breakpoint";

/** Applies the migrations a database has not had, in order, and keeps the same record of them as `wrangler d1 migrations apply`. */
export async function migrateDirectory(directory: D1Database): Promise<void> {
  await directory.exec(
    "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
  );
  const { results } = await directory.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const files = (await readdir(MIGRATIONS_DIR)).filter((name) => name.endsWith(".sql")).sort();
  for (const name of files.filter((file) => !applied.has(file))) {
    const text = await readFile(join(MIGRATIONS_DIR, name), "utf8");
    const statements = text.split(STATEMENT_BREAK).map((statement) => directory.prepare(statement));
    const record = directory.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    // One batch is one transaction: a migration is in the record exactly when it is in the database.
    await directory.batch([...statements, record]);
  }
}

export interface NewMerchant {
  readonly id: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
}

/** Rows of five bound parameters, of which D1 takes a hundred. */
const MERCHANTS_PER_STATEMENT = 20;

/** Adds merchants, or brings the known ones up to date. */
export async function putMerchants(directory: D1Database, rows: readonly NewMerchant[], nowMs: number): Promise<void> {
  const db = drizzle(directory);
  for (let at = 0; at < rows.length; at += MERCHANTS_PER_STATEMENT) {
    const values = rows.slice(at, at + MERCHANTS_PER_STATEMENT).map((row) => ({ ...row, createdAt: nowMs }));
    await db
      .insert(merchants)
      .values(values)
      .onConflictDoUpdate({
        target: merchants.id,
        set: {
          name: sql`excluded.name`,
          timezone: sql`excluded.timezone`,
          currency: sql`excluded.currency`,
        },
      });
  }
}

export interface NewSource {
  readonly id: string;
  readonly name: string;
  /** The merchants it may send for, `null` for all. */
  readonly merchants: readonly string[] | null;
  /** How rows become payments, if it sends change events of a database. */
  readonly mapping?: SourceMappingInput;
}

/** Adds a source, or brings a known one up to date. Throws when its mapping is none. */
export async function putSource(directory: D1Database, source: NewSource, nowMs: number): Promise<void> {
  const { id, name, merchants } = source;
  const mapping = source.mapping === undefined ? null : sourceMappingSchema.parse(source.mapping);
  await drizzle(directory)
    .insert(sources)
    .values({ id, name, merchants, mapping, createdAt: nowMs })
    .onConflictDoUpdate({ target: sources.id, set: { name, merchants, mapping } });
}

/** Makes a key, which reads if it is a merchant's and no role is named, and answers it; this is the only time it can be seen. */
export async function createKey(
  directory: D1Database,
  kind: KeyKind,
  subject: string,
  nowMs: number,
  role: KeyRole | null = kind === "merchant" ? "read" : null,
): Promise<string> {
  const minted = await mintKey(kind, randomBytes(40));
  await drizzle(directory)
    .insert(keys)
    .values({ id: minted.id, kind, subject, role, secretHash: minted.secretHash, createdAt: nowMs });
  return minted.token;
}

export interface NamedKey {
  readonly kind: KeyKind;
  readonly subject: string;
  /** A merchant's; `null` of others. */
  readonly role: KeyRole | null;
  readonly name: string;
}

/** A key that is derived from a secret of this installation: the same at every start, so that pasted `curl` lines go on working. */
export async function putDerivedKey(
  directory: D1Database,
  { kind, subject, role, name }: NamedKey,
  secret: string,
  nowMs: number,
): Promise<string> {
  // Of a merchant's keys the one that manages is the one there was before there were roles.
  const derivedFrom = `${secret}/${kind}/${subject}${role === "read" ? "/read" : ""}`;
  const bytes = createHash("sha512").update(derivedFrom).digest().subarray(0, 40);
  const minted = await mintKey(kind, bytes);
  await drizzle(directory)
    .insert(keys)
    .values({ id: minted.id, kind, subject, role, name, secretHash: minted.secretHash, createdAt: nowMs })
    .onConflictDoNothing();
  return minted.token;
}
