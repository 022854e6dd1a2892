import { asc, eq, gt } from "drizzle-orm";
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

/** By id. */
export async function listMerchants(
  directory: D1Database,
  afterId: string | undefined,
  limit: number,
): Promise<Merchant[]> {
  return await drizzle(directory)
    .select()
    .from(merchants)
    .where(afterId === undefined ? undefined : gt(merchants.id, afterId))
    .orderBy(asc(merchants.id))
    .limit(limit);
}
