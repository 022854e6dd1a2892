import { and, desc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { NewDelivery } from "./alerts.ts";
import { alertDeliveries } from "./schema.ts";
import { orUnavailable } from "./unavailable.ts";

export type Delivery = typeof alertDeliveries.$inferSelect;

/** The newest of an alert. */
export async function listDeliveries(directory: D1Database, alertId: string, limit: number): Promise<Delivery[]> {
  return await orUnavailable(
    drizzle(directory)
      .select()
      .from(alertDeliveries)
      .where(eq(alertDeliveries.alertId, alertId))
      .orderBy(desc(alertDeliveries.createdAt), desc(alertDeliveries.id))
      .limit(limit)
      .execute(),
  );
}

/**
 * Notes that a test is being sent, which is tried once and here: it is never due. `undefined` when there was another of the alert after `sinceMs`: somebody
 * could have us call an address as often as they ask otherwise.
 */
export async function beginTest(
  directory: D1Database,
  { id, alertId, type, body }: NewDelivery,
  sinceMs: number,
  nowMs: number,
): Promise<Delivery | undefined> {
  const db = drizzle(directory);
  const recent = and(
    eq(alertDeliveries.alertId, alertId),
    eq(alertDeliveries.type, type),
    gt(alertDeliveries.createdAt, sinceMs),
  );
  await orUnavailable(
    db.run(sql`
      INSERT INTO alert_deliveries (id, alert_id, type, body, attempts, created_at)
      SELECT ${id}, ${alertId}, ${type}, ${body}, 1, ${nowMs}
      WHERE NOT EXISTS (SELECT 1 FROM alert_deliveries WHERE ${recent})`),
  );
  const rows = await orUnavailable(db.select().from(alertDeliveries).where(eq(alertDeliveries.id, id)).execute());
  return rows[0];
}

/** How an attempt ended. */
export type Attempt =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly status: number | null; readonly failure: string };

/** What became of a test. */
export async function endTest(directory: D1Database, id: string, attempt: Attempt, nowMs: number): Promise<Delivery> {
  const [row] = await orUnavailable(
    drizzle(directory)
      .update(alertDeliveries)
      .set({
        status: attempt.status,
        ...(attempt.ok ? { deliveredAt: nowMs } : { failedAt: nowMs, failure: attempt.failure }),
      })
      .where(eq(alertDeliveries.id, id))
      .returning()
      .execute(),
  );
  if (row === undefined) throw new Error(`the test ${id} is gone`);
  return row;
}
