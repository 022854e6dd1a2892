import { gzipSync } from "node:zlib";
import type { ClickHouseClient } from "@clickhouse/client";
import type { R2Bucket } from "@cloudflare/workers-types";
import { integerBetween, type Random, seededRandom } from "../scripts/seeded-random.ts";
import { archiveKey, archivePrefix, compactedKey, manifestKey } from "../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { type ArchiveS3, s3Parameters } from "../workers/aggregate/archive-s3.ts";
import { COMPACT_SETTINGS, compactSql } from "../workers/aggregate/compact-sql.ts";

/** A shop that is open 12 hours a day (of UTC, from midnight on), and what it gives back. */
export interface Shop {
  readonly merchantId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly paymentsADay: number;
  /** Of payments, how many are refunded; each within a fortnight. */
  readonly refundShare: number;
}

export interface ShopEvent {
  readonly event_id: string;
  readonly type: "payment" | "refund";
  readonly occurred_at: number;
  readonly amount: number;
  readonly refund_of: string;
}

const OPEN_HOURS = 12;
const REFUNDED_WITHIN_DAYS = 14;
/** Events of others in each object: nobody has the archive alone. */
const OTHERS_AN_OBJECT = 20;
const RECEIVED_AFTER_MS = 400;
const PUTS_AT_ONCE = 16;
const COMPACTED_AT_ONCE = 2;

/** All events of the shop, the same of the same seed, in the order of time; refunds after the end are left out. */
export function shopEvents(shop: Shop, seed: string): ShopEvent[] {
  const random = seededRandom(seed, "refunds");
  const events: ShopEvent[] = [];
  for (let dayMs = shop.fromMs; dayMs < shop.toMs; dayMs += DAY_MS) {
    for (let n = 0; n < shop.paymentsADay; n++) events.push(...saleAt(shop, `p-${dayMs / DAY_MS}-${n}`, dayMs, random));
  }
  return events
    .filter(({ occurred_at }) => occurred_at < shop.toMs)
    .sort((a, b) => a.occurred_at - b.occurred_at || (a.event_id < b.event_id ? -1 : 1));
}

function saleAt({ refundShare }: Shop, event_id: string, dayMs: number, random: Random): ShopEvent[] {
  const openMs = () => integerBetween(random, 0, OPEN_HOURS * HOUR_MS - 1);
  const occurred_at = dayMs + openMs();
  const amount = integerBetween(random, 300, 5_000);
  const sale: ShopEvent = { event_id, type: "payment", occurred_at, amount, refund_of: "" };
  if (random() >= refundShare) return [sale];
  const refundedMs = dayMs + integerBetween(random, 1, REFUNDED_WITHIN_DAYS) * DAY_MS + openMs();
  return [sale, { event_id: `r-${event_id}`, type: "refund", occurred_at: refundedMs, amount, refund_of: event_id }];
}

/** Puts the events into the windows of history, as they would have been counted. */
export async function fillWindows(
  client: ClickHouseClient,
  merchantId: string,
  events: readonly ShopEvent[],
): Promise<void> {
  const rows = new Map<number, Record<string, number>>();
  for (const { type, occurred_at, amount } of events) {
    const start = windowStart(occurred_at);
    const row = rows.get(start) ?? { payments_count: 0, payments_amount: 0, refunds_count: 0, refunds_amount: 0 };
    rows.set(start, row);
    row[`${type}s_count`] = (row[`${type}s_count`] ?? 0) + 1;
    row[`${type}s_amount`] = (row[`${type}s_amount`] ?? 0) + amount;
  }
  const values = [...rows].map(([start, row]) => {
    return {
      merchant_id: merchantId,
      currency: "JPY",
      window_start: start / 1_000,
      revision: start + WINDOW_MS,
      ...row,
    };
  });
  await client.insert({ table: "windows", values, format: "JSONEachRow" });
}

/** Writes each hour's lines as so many objects, one after another in time, as the log's consumer does. */
export async function fillArchive(
  archive: R2Bucket,
  merchantId: string,
  events: readonly ShopEvent[],
  objectsAnHour: number,
): Promise<number[]> {
  const hours = Map.groupBy(events, ({ occurred_at }) => occurred_at - (occurred_at % HOUR_MS));
  const objects: { readonly key: string; readonly events: readonly ShopEvent[]; readonly atMs: number }[] = [];
  for (const [hourMs, own] of hours) {
    for (let n = 0; n < objectsAnHour; n++) {
      const [atMs, endMs] = [n, n + 1].map((at) => hourMs + Math.floor((at * HOUR_MS) / objectsAnHour)) as [
        number,
        number,
      ];
      const within = own.filter(({ occurred_at }) => occurred_at >= atMs && occurred_at < endMs);
      objects.push({ key: archiveKey(hourMs, `${atMs}-bench`), events: within, atMs });
    }
  }
  for (let at = 0; at < objects.length; at += PUTS_AT_ONCE) {
    const some = objects.slice(at, at + PUTS_AT_ONCE).map(async ({ key, events, atMs }) => {
      const others = Array.from({ length: OTHERS_AN_OBJECT }, (_, n) => othersLine(atMs, n));
      const lines = [...others, ...events.map((event) => lineOf(event, merchantId, event.event_id, 0))];
      await archive.put(key, gzipSync(lines.join("")));
    });
    await Promise.all(some);
  }
  return [...hours.keys()];
}

function othersLine(atMs: number, n: number): string {
  const event = { event_id: `o-${atMs}-${n}`, type: "payment", occurred_at: atMs, amount: 500, refund_of: "" } as const;
  return lineOf(event, `other-${n}`, `others-${atMs}`, n);
}

function lineOf({ refund_of, ...event }: ShopEvent, merchant_id: string, batch: string, n: number): string {
  const line = {
    ...{ ...event, merchant_id, currency: "JPY", payment_method: "card", points_used: 0, points_earned: 0 },
    ...(refund_of === "" ? {} : { refund_of }),
    ...{ received_at: event.occurred_at + RECEIVED_AFTER_MS, source: "bench", batch, n },
  };
  return `${JSON.stringify(line)}\n`;
}

/** Makes a Parquet of each hour's objects, and names it, by the statement of the compaction. */
export async function compactHours(
  archive: R2Bucket,
  client: ClickHouseClient,
  s3: ArchiveS3,
  hours: readonly number[],
): Promise<void> {
  for (let at = 0; at < hours.length; at += COMPACTED_AT_ONCE) {
    await Promise.all(hours.slice(at, at + COMPACTED_AT_ONCE).map((hourMs) => compactOne(archive, client, s3, hourMs)));
  }
}

async function compactOne(archive: R2Bucket, client: ClickHouseClient, s3: ArchiveS3, hourMs: number): Promise<void> {
  const keys = (await archive.list({ prefix: archivePrefix(hourMs) })).objects.map(({ key }) => key);
  const target = compactedKey(hourMs, "bench");
  await client.command({
    query: compactSql({ lines: true, parquet: false }),
    query_params: s3Parameters(s3, { lines_url: keys, target_url: [target] }),
    clickhouse_settings: COMPACT_SETTINGS,
  });
  const written = await archive.head(target);
  if (written === null) throw new Error(`${target} was not written`);
  const name = target.slice(archivePrefix(hourMs).length);
  // Its originals go, so that nobody asks which of them it has.
  const file = { name, bytes: written.size, events: 1, checksum: "0", originals: [] };
  const manifest = { v: 1, files: [file], damaged: [] };
  await archive.put(manifestKey(hourMs), JSON.stringify(manifest));
  await archive.delete(keys);
}
