import { asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { sourceMappingSchema } from "../../shared/source-mapping.ts";
import { sources } from "./schema.ts";

const storedSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** `null` for all of them. */
  merchants: z.array(z.string()).nullable(),
  /** How rows of its database become payments; `null` for a source that sends payments. */
  mapping: sourceMappingSchema.nullable(),
  createdAt: z.int(),
});

export type Source = z.output<typeof storedSchema>;

/** Answers `undefined` when there is one of that id. */
export async function createSource(directory: D1Database, source: Source): Promise<Source | undefined> {
  const created = await drizzle(directory).insert(sources).values(source).onConflictDoNothing().returning();
  return created[0] === undefined ? undefined : storedSchema.parse(created[0]);
}

export async function readSource(directory: D1Database, id: string): Promise<Source | undefined> {
  const rows = await drizzle(directory).select().from(sources).where(eq(sources.id, id));
  return rows[0] === undefined ? undefined : storedSchema.parse(rows[0]);
}

/** Changes what is given; `undefined` when there is no such source. Isolates know of it within `KEY_TTL_MS`. */
export async function changeSource(
  directory: D1Database,
  id: string,
  change: Partial<Pick<Source, "name" | "merchants" | "mapping">>,
): Promise<Source | undefined> {
  if (Object.keys(change).length === 0) return await readSource(directory, id);
  const changed = await drizzle(directory).update(sources).set(change).where(eq(sources.id, id)).returning();
  return changed[0] === undefined ? undefined : storedSchema.parse(changed[0]);
}

/** By id. */
export async function listSources(
  directory: D1Database,
  afterId: string | undefined,
  limit: number,
): Promise<Source[]> {
  const rows = await drizzle(directory)
    .select()
    .from(sources)
    .where(afterId === undefined ? undefined : gt(sources.id, afterId))
    .orderBy(asc(sources.id))
    .limit(limit);
  return rows.map((row) => storedSchema.parse(row));
}
