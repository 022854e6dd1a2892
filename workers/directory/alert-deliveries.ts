import { and, desc, eq, gt, inArray, lte, not, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import type { Attempt, Receiver } from "../alerts/send-webhook.ts";
import type { NewDelivery } from "./alerts.ts";
import { inOneBatch } from "./in-one-batch.ts";
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

/** A delivery that a run has taken, with where it goes. */
export interface TakenDelivery extends Delivery {
  readonly receiver: Receiver & { readonly failingSince: number | null };
}

const receiverSchema = z.object({
  id: z.string(),
  url: z.string(),
  secret: z.string(),
  previous_secret: z.string().nullable(),
  previous_until: z.int().nullable(),
  failing_since: z.int().nullable(),
});

/**
 * Takes deliveries that are due, the longest waiting first, of receivers that fail or of the others. Each counts as an attempt from here on, and is due again
 * when the lease ends: a run that dies in between has it tried again, and its receiver knows it by its id.
 */
export async function takeDueDeliveries(
  directory: D1Database,
  { isFailing, leaseMs, limit }: { readonly isFailing: boolean; readonly leaseMs: number; readonly limit: number },
  nowMs: number,
): Promise<TakenDelivery[]> {
  const db = drizzle(directory);
  const failing = sql`EXISTS (SELECT 1 FROM alerts WHERE alerts.id = ${alertDeliveries.alertId} AND failing_since IS NOT NULL)`;
  const due = db
    .select({ id: alertDeliveries.id })
    .from(alertDeliveries)
    .where(and(lte(alertDeliveries.dueAt, nowMs), isFailing ? failing : not(failing)))
    .orderBy(alertDeliveries.dueAt)
    .limit(limit);
  const taken = await db
    .update(alertDeliveries)
    .set({ attempts: sql`${alertDeliveries.attempts} + 1`, dueAt: nowMs + leaseMs })
    .where(inArray(alertDeliveries.id, due))
    .returning();
  const receivers = await receiversOf(directory, taken);
  return taken.flatMap((delivery) => {
    const receiver = receivers.get(delivery.alertId);
    return receiver === undefined ? [] : [{ ...delivery, receiver }];
  });
}

async function receiversOf(directory: D1Database, taken: readonly Delivery[]) {
  const ids = JSON.stringify([...new Set(taken.map(({ alertId }) => alertId))]);
  const rows = await drizzle(directory).all(sql`
    SELECT id, url, secret, previous_secret, previous_until, failing_since FROM alerts
    WHERE id IN (SELECT value FROM json_each(${ids}))`);
  return new Map(
    rows
      .map((row) => receiverSchema.parse(row))
      .map(({ id, url, secret, previous_secret, previous_until, failing_since }) => [
        id,
        {
          ...{ alertId: id, url, secret, previousSecret: previous_secret, previousUntil: previous_until },
          failingSince: failing_since,
        },
      ]),
  );
}

/** What became of a delivery, and of its alert. */
export interface EndedDelivery {
  readonly delivery: Pick<Delivery, "id" | "alertId" | "attempts">;
  /** The address that was called: what is learnt is of it alone. */
  readonly url: string;
  readonly attempt: Attempt;
  /** When it is tried again; `null` for never. */
  readonly againMs: number | null;
  readonly failingSince: number | null;
  /** The alert is disabled, and why. */
  readonly disabled: string | null;
}

/** Notes how attempts ended, unless another run has taken them meanwhile; what waits of an alert that is disabled is given up with it. */
export async function endDeliveries(
  directory: D1Database,
  ended: readonly EndedDelivery[],
  nowMs: number,
): Promise<void> {
  if (ended.length === 0) return;
  const rows = JSON.stringify(
    ended.map(({ delivery, url, attempt, againMs, failingSince, disabled }) => ({
      ...{ id: delivery.id, alertId: delivery.alertId, attempts: delivery.attempts, url, failingSince, disabled },
      status: attempt.status,
      failure: attempt.ok ? null : attempt.failure,
      dueAt: attempt.ok ? null : againMs,
      deliveredAt: attempt.ok ? nowMs : null,
      failedAt: attempt.ok || againMs !== null ? null : nowMs,
    })),
  );
  const isOfAlert = sql`alerts.id = value ->> 'alertId' AND alerts.url = value ->> 'url'`;
  await inOneBatch(directory, [
    sql`
      UPDATE alert_deliveries SET
        status = value ->> 'status', failure = value ->> 'failure', due_at = value ->> 'dueAt',
        delivered_at = value ->> 'deliveredAt', failed_at = value ->> 'failedAt'
      FROM json_each(${rows})
      WHERE alert_deliveries.id = value ->> 'id' AND alert_deliveries.attempts = value ->> 'attempts' AND alert_deliveries.due_at IS NOT NULL`,
    sql`UPDATE alerts SET failing_since = value ->> 'failingSince' FROM json_each(${rows}) WHERE ${isOfAlert}`,
    sql`
      UPDATE alerts SET
        is_enabled = 0, due_at = NULL, lease = NULL, firing_since = NULL, reminded_at = NULL, contradicted_since = NULL,
        disabled_reason = value ->> 'disabled', updated_at = max(${nowMs}, updated_at + 1)
      FROM json_each(${rows}) WHERE ${isOfAlert} AND value ->> 'disabled' IS NOT NULL`,
    sql`
      UPDATE alert_deliveries SET due_at = NULL, failed_at = ${nowMs}, failure = coalesce(failure, 'the alert was disabled')
      WHERE due_at IS NOT NULL AND alert_id IN (
        SELECT value ->> 'alertId' FROM json_each(${rows}) JOIN alerts ON ${isOfAlert} WHERE value ->> 'disabled' IS NOT NULL)`,
  ]);
}

/** Forgets what is done and older than this, so many at a time; answers how many. */
export async function forgetDeliveries(directory: D1Database, beforeMs: number, limit: number): Promise<number> {
  const { meta } = await drizzle(directory).run(sql`
    DELETE FROM alert_deliveries WHERE id IN (
      SELECT id FROM alert_deliveries WHERE due_at IS NULL AND created_at < ${beforeMs} LIMIT ${limit})`);
  return meta.changes;
}
