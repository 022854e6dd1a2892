import { and, asc, desc, eq, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { erasures } from "./schema.ts";

export type Erasure = typeof erasures.$inferSelect;

const hashesSchema = z.array(z.string());

export async function createErasure(
  directory: D1Database,
  userHashes: readonly string[],
  toMs: number,
  nowMs: number,
): Promise<Erasure> {
  const [created] = await drizzle(directory)
    .insert(erasures)
    .values({
      ...{ id: crypto.randomUUID(), userHashes, users: userHashes.length, toMs, nextMs: 0, state: "running" },
      ...{ createdAt: nowMs, updatedAt: nowMs },
    })
    .returning();
  if (created === undefined) throw new Error("the erasure was not created");
  return created;
}

/** The hashes of one that runs. Throws when they are none. */
export function hashesOf({ userHashes }: Erasure): string[] {
  return hashesSchema.parse(userHashes);
}

/** Users of all that run: a message that dies meanwhile is kept without them. */
export async function usersBeingErased(directory: D1Database): Promise<Set<string>> {
  const rows = await drizzle(directory)
    .select({ userHashes: erasures.userHashes })
    .from(erasures)
    .where(eq(erasures.state, "running"));
  return new Set(rows.flatMap(({ userHashes }) => hashesSchema.parse(userHashes)));
}

/** The oldest one there is something to do of now. */
export async function nextErasure(directory: D1Database, nowMs: number): Promise<Erasure | undefined> {
  const [erasure] = await drizzle(directory)
    .select()
    .from(erasures)
    .where(and(eq(erasures.state, "running"), lte(erasures.retryAt, nowMs)))
    .orderBy(asc(erasures.createdAt))
    .limit(1);
  return erasure;
}

export async function readErasure(directory: D1Database, id: string): Promise<Erasure | undefined> {
  const [erasure] = await drizzle(directory).select().from(erasures).where(eq(erasures.id, id));
  return erasure;
}

/** The newest first. */
export async function listErasures(
  directory: D1Database,
  after: Pick<Erasure, "createdAt" | "id"> | undefined,
  limit: number,
): Promise<Erasure[]> {
  return await drizzle(directory)
    .select()
    .from(erasures)
    .where(
      after === undefined
        ? undefined
        : sql`(${erasures.createdAt}, ${erasures.id}) < (${after.createdAt}, ${after.id})`,
    )
    .orderBy(desc(erasures.createdAt), desc(erasures.id))
    .limit(limit);
}

/** Goes on with the dead letters, which come before the archive: `lettersAfter` is the last one gone through, null for all. */
export async function advanceLetters(
  directory: D1Database,
  { id }: Erasure,
  next: Pick<Erasure, "lettersAfter" | "letters" | "unreadableLetters">,
  nowMs: number,
): Promise<void> {
  await drizzle(directory)
    .update(erasures)
    .set({ ...next, failure: null, updatedAt: nowMs })
    .where(eq(erasures.id, id));
}

/** Puts one off. */
export async function postponeErasure(
  directory: D1Database,
  { id }: Erasure,
  retryAt: number,
  nowMs: number,
): Promise<void> {
  await drizzle(directory).update(erasures).set({ retryAt, updatedAt: nowMs }).where(eq(erasures.id, id));
}

/** Goes on: `nextMs` is what comes next, `retryAt` when. After the last hour the dead letters come once more: what died meanwhile, or could not be read. */
export async function advanceErasure(
  directory: D1Database,
  { id, toMs }: Erasure,
  next: Pick<Erasure, "nextMs" | "events" | "files" | "unreadable" | "retryAt">,
  nowMs: number,
): Promise<void> {
  await drizzle(directory)
    .update(erasures)
    .set({ ...next, failure: null, updatedAt: nowMs, ...(next.nextMs >= toMs ? { lettersAfter: "" } : {}) })
    .where(eq(erasures.id, id));
}

/** It is done: the hashes are forgotten. */
export async function endErasure(directory: D1Database, { id }: Erasure, nowMs: number): Promise<void> {
  await drizzle(directory)
    .update(erasures)
    .set({ state: "done", userHashes: null, updatedAt: nowMs })
    .where(eq(erasures.id, id));
}

export async function noteErasureFailure(
  directory: D1Database,
  id: string,
  { failure, retryAtMs }: { readonly failure: string; readonly retryAtMs: number },
  nowMs: number,
): Promise<void> {
  await drizzle(directory)
    .update(erasures)
    .set({ failure, retryAt: retryAtMs, updatedAt: nowMs })
    .where(eq(erasures.id, id));
}
