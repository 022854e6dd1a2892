import { and, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { checkSchema } from "../alerts/check.ts";
import { ALERTS_MAX, ruleSchema } from "../alerts/rule.ts";
import { alertDeliveries, alerts } from "./schema.ts";
import { orUnavailable } from "./unavailable.ts";

const storedSchema = z.object({
  id: z.string(),
  merchantId: z.string().nullable(),
  name: z.string(),
  rule: ruleSchema,
  url: z.string(),
  secret: z.string(),
  previousSecret: z.string().nullable(),
  previousUntil: z.int().nullable(),
  remindEveryMs: z.int().nullable(),
  isEnabled: z.boolean(),
  disabledReason: z.string().nullable(),
  dueAt: z.int().nullable(),
  firingSince: z.int().nullable(),
  remindedAt: z.int().nullable(),
  contradictedSince: z.int().nullable(),
  checkedAt: z.int().nullable(),
  checked: checkSchema.nullable().catch(null),
  failingSince: z.int().nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
});
export type Alert = z.output<typeof storedSchema>;

/** A row as it is stored; what other versions left of a look is not worth failing for. */
export const parseAlert = (row: typeof alerts.$inferSelect): Alert => storedSchema.parse(row);

/** Whose alerts: a merchant's, or operators' (`null`). */
export type AlertOwner = string | null;

export type NewAlert = Pick<
  Alert,
  "id" | "merchantId" | "name" | "rule" | "url" | "secret" | "remindEveryMs" | "isEnabled"
>;

/** Looked at with the next run. `undefined` when the owner has as many as one may have. */
export async function createAlert(directory: D1Database, alert: NewAlert, nowMs: number): Promise<Alert | undefined> {
  const { id, merchantId, name, rule, url, secret, remindEveryMs, isEnabled } = alert;
  // Counted and inserted by one statement: of several at once none can go beyond the limit.
  await orUnavailable(
    drizzle(directory).run(sql`
      INSERT INTO alerts (id, merchant_id, name, rule, url, secret, remind_every_ms, is_enabled, due_at, created_at, updated_at)
      SELECT ${id}, ${merchantId}, ${name}, ${JSON.stringify(rule)}, ${url}, ${secret}, ${remindEveryMs}, ${isEnabled ? 1 : 0},
        ${isEnabled ? nowMs : null}, ${nowMs}, ${nowMs}
      WHERE (SELECT count(*) FROM alerts WHERE merchant_id IS ${merchantId}) < ${ALERTS_MAX}`),
  );
  return await readAlert(directory, id, merchantId);
}

export async function readAlert(directory: D1Database, id: string, owner: AlertOwner): Promise<Alert | undefined> {
  const rows = await orUnavailable(
    drizzle(directory)
      .select()
      .from(alerts)
      .where(and(eq(alerts.id, id), ownedBy(owner)))
      .execute(),
  );
  return rows[0] === undefined ? undefined : parseAlert(rows[0]);
}

/** The newest first; all of them, since there are few. */
export async function listAlerts(directory: D1Database, owner: AlertOwner): Promise<Alert[]> {
  const rows = await orUnavailable(
    drizzle(directory)
      .select()
      .from(alerts)
      .where(ownedBy(owner))
      .orderBy(desc(alerts.createdAt), desc(alerts.id))
      .execute(),
  );
  return rows.map(parseAlert);
}

export type AlertChange = Partial<
  Pick<
    Alert,
    | "name"
    | "rule"
    | "url"
    | "secret"
    | "previousSecret"
    | "previousUntil"
    | "remindEveryMs"
    | "isEnabled"
    | "disabledReason"
    | "failingSince"
    | "dueAt"
    | "firingSince"
    | "remindedAt"
    | "contradictedSince"
    | "checked"
    | "checkedAt"
  >
>;

/** What is to be told of a change, beside it. */
export interface NewDelivery {
  readonly id: string;
  readonly alertId: string;
  readonly type: string;
  readonly body: string;
}

/**
 * Changes an alert as it was read, together with what is to be told of that: `undefined` when it is gone, or somebody has changed it meanwhile. A run that
 * looks at it at the moment loses its lease: what it finds is of the alert as it was.
 */
export async function changeAlert(
  directory: D1Database,
  before: Alert,
  change: AlertChange & { readonly baseline?: null },
  notices: readonly NewDelivery[],
  nowMs: number,
): Promise<Alert | undefined> {
  const db = drizzle(directory);
  const isSame = and(
    eq(alerts.id, before.id),
    eq(alerts.updatedAt, before.updatedAt),
    sql`${alerts.firingSince} IS ${before.firingSince}`,
  );
  const told = notices.map(({ id, type, body }) =>
    db.insert(alertDeliveries).select(
      db
        .select({
          id: sql<string>`${id}`.as("id"),
          alertId: alerts.id,
          type: sql<string>`${type}`.as("type"),
          body: sql<string>`${body}`.as("body"),
          attempts: sql<number>`0`.as("attempts"),
          dueAt: sql<number>`${nowMs}`.as("due_at"),
          deliveredAt: sql<null>`NULL`.as("delivered_at"),
          failedAt: sql<null>`NULL`.as("failed_at"),
          status: sql<null>`NULL`.as("status"),
          failure: sql<null>`NULL`.as("failure"),
          createdAt: sql<number>`${nowMs}`.as("created_at"),
        })
        .from(alerts)
        .where(isSame),
    ),
  );
  // Two changes within a millisecond must not look the same.
  const updatedAt = Math.max(nowMs, before.updatedAt + 1);
  const update = db
    .update(alerts)
    .set({ ...change, lease: null, updatedAt })
    .where(isSame)
    .returning();
  const results = await orUnavailable(db.batch([...told, update] as unknown as [typeof update]));
  const row = (results as unknown[][]).at(-1)?.[0];
  return row === undefined ? undefined : storedSchema.parse(row);
}

/** With its notices, those on their way too; false when there is none. */
export async function deleteAlert(directory: D1Database, id: string, owner: AlertOwner): Promise<boolean> {
  const db = drizzle(directory);
  const isTheirs = sql`${alertDeliveries.alertId} IN (SELECT id FROM alerts WHERE id = ${id} AND merchant_id IS ${owner})`;
  const [, deleted] = await orUnavailable(
    db.batch([
      db.delete(alertDeliveries).where(isTheirs),
      db
        .delete(alerts)
        .where(and(eq(alerts.id, id), ownedBy(owner)))
        .returning({ id: alerts.id }),
    ]),
  );
  return deleted.length > 0;
}

function ownedBy(owner: AlertOwner): SQL | undefined {
  return owner === null ? isNull(alerts.merchantId) : eq(alerts.merchantId, owner);
}
