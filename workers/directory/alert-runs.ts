import { inArray, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { type Baseline, baselineSchema, presentBaseline } from "../alerts/baseline.ts";
import type { Check } from "../alerts/check.ts";
import type { Standing } from "../alerts/standing.ts";
import { log } from "../log.ts";
import { type Alert, type NewDelivery, parseAlert } from "./alerts.ts";
import { inOneBatch } from "./in-one-batch.ts";
import { alerts } from "./schema.ts";

/** What a run that looks at alerts takes from the directory, and writes there. */

/** An alert that a run has taken, and what it needs of its merchant. */
export interface TakenAlert extends Alert {
  readonly baseline: Baseline | null;
  readonly timezone: string;
  readonly currency: string | null;
}

/**
 * Takes alerts that are due, the longest waiting first, for so long: no other run looks at them meanwhile. One that dies leaves them due when its lease
 * ends. So the moment at which each is due is all there is of a cursor, and none is passed over however far behind the runs are.
 */
export async function takeDueAlerts(
  directory: D1Database,
  { lease, leaseMs, limit }: { readonly lease: string; readonly leaseMs: number; readonly limit: number },
  nowMs: number,
): Promise<TakenAlert[]> {
  const db = drizzle(directory);
  const due = db
    .select({ id: alerts.id })
    .from(alerts)
    .where(lte(alerts.dueAt, nowMs))
    .orderBy(alerts.dueAt)
    .limit(limit);
  const rows = await db
    .update(alerts)
    .set({ lease, dueAt: nowMs + leaseMs })
    .where(inArray(alerts.id, due))
    .returning();
  const homes = await homesOf(
    directory,
    rows.flatMap(({ merchantId }) => merchantId ?? []),
  );
  return rows.flatMap((row) => {
    const alert = readable(row);
    if (alert === undefined) return [];
    const home = homes.get(row.merchantId ?? "");
    const baseline = baselineSchema.nullable().catch(null).parse(row.baseline);
    return [{ ...alert, baseline, timezone: home?.timezone ?? "UTC", currency: home?.currency ?? null }];
  });
}

/** One that cannot be read, as after an earlier version is deployed again, is left to its lease: it must not hold up the others. */
function readable(row: Parameters<typeof parseAlert>[0]): Alert | undefined {
  try {
    return parseAlert(row);
  } catch (error) {
    log("error", "an alert cannot be read", { alert: row.id, error });
    return undefined;
  }
}

const homeSchema = z.object({ id: z.string(), timezone: z.string(), currency: z.string() });

async function homesOf(directory: D1Database, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, z.output<typeof homeSchema>>();
  const rows = await drizzle(directory).all(
    sql`SELECT id, timezone, currency FROM merchants WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
  );
  return new Map(rows.map((row) => homeSchema.parse(row)).map((home) => [home.id, home]));
}

/** What a run found of one alert, and what is to be told of it. */
export interface FoundAlert {
  readonly id: string;
  readonly standing: Standing;
  readonly check: Check;
  readonly nextMs: number;
  /** Where it was read anew. */
  readonly baseline: Baseline | undefined;
  readonly notice: NewDelivery | undefined;
}

/**
 * Writes what was found, and the notices with it: both or neither. What a run finds after it has lost its lease, to another run or to a change of the
 * alert, is dropped.
 */
export async function writeFound(
  directory: D1Database,
  lease: string,
  found: readonly FoundAlert[],
  nowMs: number,
): Promise<void> {
  const notices = JSON.stringify(found.flatMap(({ notice }) => notice ?? []));
  const rows = JSON.stringify(
    found.map(({ id, standing, check, nextMs, baseline }) => ({
      id,
      ...standing,
      nextMs,
      checked: JSON.stringify(check),
      baseline: baseline === undefined ? null : JSON.stringify(presentBaseline(baseline)),
    })),
  );
  await inOneBatch(directory, [
    sql`
      INSERT OR IGNORE INTO alert_deliveries (id, alert_id, type, body, due_at, created_at)
      SELECT value ->> 'id', alerts.id, value ->> 'type', value ->> 'body', ${nowMs}, ${nowMs}
      FROM json_each(${notices}) JOIN alerts ON alerts.id = value ->> 'alertId' AND alerts.lease = ${lease}`,
    sql`
      UPDATE alerts SET
        lease = NULL,
        due_at = value ->> 'nextMs',
        firing_since = value ->> 'firingSince',
        reminded_at = value ->> 'remindedAt',
        contradicted_since = value ->> 'contradictedSince',
        checked = value ->> 'checked',
        checked_at = ${nowMs},
        baseline = coalesce(value ->> 'baseline', baseline)
      FROM json_each(${rows}) WHERE alerts.id = value ->> 'id' AND alerts.lease = ${lease}`,
  ]);
}

/** How many alerts are due, counted up to `most`. */
export async function countDue(directory: D1Database, nowMs: number, most: number): Promise<number> {
  const db = drizzle(directory);
  const due = db.select({ id: alerts.id }).from(alerts).where(lte(alerts.dueAt, nowMs)).limit(most).as("due");
  return await db.$count(due);
}

/** Alerts that have been due for longer than this: none, unless runs do not keep up. */
export async function countOverdue(directory: D1Database, beforeMs: number): Promise<number> {
  return await drizzle(directory).$count(alerts, lte(alerts.dueAt, beforeMs));
}
