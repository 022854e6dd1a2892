import { and, asc, eq, gt, gte, lt, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { merchants } from "./schema.ts";

export type Merchant = typeof merchants.$inferSelect;

/** Adds a merchant, or changes the one there is, which keeps when it was added. */
export async function putMerchant(directory: D1Database, merchant: Merchant): Promise<Merchant> {
  const { name, timezone, currency } = merchant;
  const [put] = await drizzle(directory)
    .insert(merchants)
    .values(merchant)
    .onConflictDoUpdate({ target: merchants.id, set: { name, timezone, currency } })
    .returning();
  if (put === undefined) throw new Error("the merchant was not put");
  return put;
}

export async function readMerchant(directory: D1Database, id: string): Promise<Merchant | undefined> {
  const rows = await drizzle(directory).select().from(merchants).where(eq(merchants.id, id));
  return rows[0];
}

export interface MerchantSearch {
  readonly afterId: string | undefined;
  readonly limit: number;
  /** How an id, or a name whatever its case, begins; empty for all. */
  readonly beginning: string;
}

/** By id. */
export async function listMerchants(
  directory: D1Database,
  { afterId, limit, beginning }: MerchantSearch,
): Promise<Merchant[]> {
  return await drizzle(directory)
    .select()
    .from(merchants)
    .where(and(afterId === undefined ? undefined : gt(merchants.id, afterId), beginsWith(beginning)))
    .orderBy(asc(merchants.id))
    .limit(limit);
}

/** Ranges, which the indexes of both know; a pattern with wildcards would read all merchants. */
function beginsWith(text: string) {
  if (text === "") return undefined;
  const end = `${text}\u{10ffff}`;
  const name = sql`${merchants.name} COLLATE NOCASE`;
  return or(and(gte(merchants.id, text), lt(merchants.id, end)), and(sql`${name} >= ${text}`, sql`${name} < ${end}`));
}
