import { and, desc, eq, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../../shared/window.ts";
import { adminLog } from "./schema.ts";
import { orUnavailable } from "./unavailable.ts";

export type LogEntry = typeof adminLog.$inferSelect;
export type NewLogEntry = Omit<LogEntry, "id">;

/** An entry is kept for so long. */
export const LOG_KEPT_DAYS = 400;
/**
 * There are so many at the most, some 0.5 GB of operators': each kind of caller has its own, so that no merchant's calls push out what operators did. `null` are
 * those that showed nothing valid.
 */
export const LOG_ENTRIES_MAX: readonly (readonly [kind: LogEntry["kind"], entries: number])[] = [
  ["operator", 1_000_000],
  ["merchant", 250_000],
  ["source", 50_000],
  [null, 50_000],
];
/** Removed by one statement. */
const PRUNED_MAX = 20_000;
/** Statements of each kind in a pass of the cron, which comes every ten minutes: more in a second than merchants can add. */
const STATEMENTS_MAX = 10;

/** Answers the entry's number. Throws `DirectoryUnavailable`. */
export async function addLogEntry(directory: D1Database, entry: NewLogEntry): Promise<number> {
  const insert = drizzle(directory).insert(adminLog).values(entry).returning({ id: adminLog.id });
  const [added] = await orUnavailable(insert.execute());
  if (added === undefined) throw new Error("the entry was not added");
  return added.id;
}

export async function finishLogEntry(directory: D1Database, id: number, status: number, nowMs: number): Promise<void> {
  await drizzle(directory).update(adminLog).set({ status, finishedAt: nowMs }).where(eq(adminLog.id, id));
}

/** Which entries of the log; all of them where nothing is said. */
export interface LogFilter {
  readonly methods?: readonly string[] | undefined;
  /** Whose: a source, a merchant or an operator. */
  readonly subject?: string | undefined;
  readonly keyId?: string | undefined;
}

/** The newest first, those before `beforeId` if it is given. A filter that few entries pass looks at all of the log, which is bounded. */
export async function listLog(
  directory: D1Database,
  beforeId: number | undefined,
  limit: number,
  { methods, subject, keyId }: LogFilter = {},
): Promise<LogEntry[]> {
  return await drizzle(directory)
    .select()
    .from(adminLog)
    .where(
      and(
        beforeId === undefined ? undefined : lt(adminLog.id, beforeId),
        methods === undefined ? undefined : inArray(adminLog.method, [...methods]),
        subject === undefined ? undefined : eq(adminLog.subject, subject),
        keyId === undefined ? undefined : eq(adminLog.keyId, keyId),
      ),
    )
    .orderBy(desc(adminLog.id))
    .limit(limit);
}

/** Removes what is too old or too many, up to a number of entries; answers how many. What is left over is the next pass's. */
export async function pruneLog(directory: D1Database, nowMs: number, entriesMax = LOG_ENTRIES_MAX): Promise<number> {
  const db = drizzle(directory);
  const oldest = sql`SELECT id, at FROM admin_log ORDER BY id LIMIT ${PRUNED_MAX}`;
  const past = sql`at < ${nowMs - LOG_KEPT_DAYS * DAY_MS}`;
  const { meta } = await db.run(sql`DELETE FROM admin_log WHERE id IN (SELECT id FROM (${oldest}) WHERE ${past})`);
  let pruned = meta.changes;
  for (const [kind, entries] of entriesMax) pruned += await pruneKind(directory, kind, entries);
  return pruned;
}

async function pruneKind(directory: D1Database, kind: LogEntry["kind"], entries: number): Promise<number> {
  const db = drizzle(directory);
  const beyond = sql`SELECT id FROM admin_log WHERE kind IS ${kind} ORDER BY id DESC LIMIT 1 OFFSET ${entries}`;
  const [last] = await db.all<{ id: number }>(beyond);
  if (last === undefined) return 0;
  let pruned = 0;
  for (let statement = 0; statement < STATEMENTS_MAX; statement++) {
    const some = sql`SELECT id FROM admin_log WHERE kind IS ${kind} AND id <= ${last.id} ORDER BY id LIMIT ${PRUNED_MAX}`;
    const { meta } = await db.run(sql`DELETE FROM admin_log WHERE id IN (${some})`);
    pruned += meta.changes;
    if (meta.changes < PRUNED_MAX) break;
  }
  return pruned;
}
