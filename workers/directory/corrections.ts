import { desc, eq, gt, isNull, max, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { askDirectory } from "./ask-directory.ts";
import { corrections } from "./schema.ts";

/** After this much time of the first of two notes around it, what rewrites windows has ended: an alarm takes 15 minutes at the most. */
export const CORRECTION_SETTLES_MS = 15 * 60_000;

/** No answer that was kept lives as long (`workers/api/cache/lifetime.ts`). */
const CORRECTIONS_KEPT_MS = 35 * 86_400_000;
const FORGOTTEN_AT_ONCE_MAX = 10_000;

export type Correction = typeof corrections.$inferSelect;

/**
 * The statement that makes kept answers of these merchants, or of all with `null`, unreachable. To be run after windows are written, best in one
 * batch with what says that they are; and before as well where nobody would run it again after a crash in between.
 */
export function correctionOf(merchantIds: readonly string[] | null, nowMs: number): SQL {
  if (merchantIds === null) return sql`INSERT INTO corrections (merchant_id, noted_at) VALUES (NULL, ${nowMs})`;
  const distinct = JSON.stringify([...new Set(merchantIds)]);
  return sql`INSERT INTO corrections (merchant_id, noted_at) SELECT value, ${nowMs} FROM json_each(${distinct})`;
}

export async function noteCorrection(
  directory: D1Database,
  merchantIds: readonly string[] | null,
  nowMs: number,
): Promise<void> {
  await drizzle(directory).run(correctionOf(merchantIds, nowMs));
}

/** The newest of those after a number, the last one first. Throws `DirectoryUnavailable`. */
export async function correctionsAfter(directory: D1Database, seq: number, limit: number): Promise<Correction[]> {
  const query = drizzle(directory)
    .select()
    .from(corrections)
    .where(gt(corrections.seq, seq))
    .orderBy(desc(corrections.seq))
    .limit(limit);
  return await askDirectory(directory, () => query.execute());
}

/** The number of the last correction of a merchant's windows, 0 for none that is remembered. Throws `DirectoryUnavailable`. */
export async function lastCorrectionOf(directory: D1Database, merchantId: string): Promise<number> {
  const query = drizzle(directory)
    .select({ seq: max(corrections.seq) })
    .from(corrections)
    .where(or(eq(corrections.merchantId, merchantId), isNull(corrections.merchantId)));
  const [row] = await askDirectory(directory, () => query.execute());
  return row?.seq ?? 0;
}

/** Forgets corrections that no kept answer can be older than, some at a time; answers how many. */
export async function forgetCorrections(directory: D1Database, nowMs: number): Promise<{ readonly forgotten: number }> {
  const oldest = sql`SELECT seq FROM corrections ORDER BY seq LIMIT ${FORGOTTEN_AT_ONCE_MAX}`;
  const { meta } = await drizzle(directory).run(
    sql`DELETE FROM corrections WHERE noted_at < ${nowMs - CORRECTIONS_KEPT_MS} AND seq IN (${oldest})`,
  );
  return { forgotten: meta.changes };
}
