import type { ClickHouseClient } from "@clickhouse/client";
import { z } from "zod";
import { sleep } from "../scripts/sleep.ts";
import { GRACE_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { post } from "./send.ts";

/** Who sends where, and who reads. */
export interface Parties {
  readonly ingestUrl: string;
  readonly apiUrl: string;
  readonly sourceKey: string;
  readonly readerKey: string;
}

export interface VisibleOptions {
  readonly probes: number;
  /** Merchants whose payments are under way at the same time. */
  readonly atOnce: number;
  readonly pollMs: number;
  readonly isAsync: boolean;
}

const PATIENCE_MS = 60_000;
const HISTORY_MERCHANTS = 200;
const HISTORY_POLL_MS = 250;

const shownSchema = z.object({
  series: z.array(z.object({ total: z.object({ payments: z.object({ count: z.int() }) }) })),
});

/**
 * Milliseconds from the moment a payment is sent to that in which an answer counts it. The same question is asked all the time, so that there is
 * always an answer in the cache that lacks it.
 */
export async function measureVisible(parties: Parties, options: VisibleOptions): Promise<number[]> {
  const { probes, atOnce, pollMs, isAsync } = options;
  const waits: number[] = [];
  let left = probes;
  const merchant = async (name: string) => {
    for (let sent = 0; left-- > 0; sent++) {
      // A question about this window alone: that it ends meanwhile changes nothing.
      const occurredAt = Date.now();
      const before = await shownCount(parties, name, occurredAt);
      const beganMs = performance.now();
      await send(parties, [paymentOf(name, `${name}-${sent}`, occurredAt)], isAsync);
      while ((await shownCount(parties, name, occurredAt)) <= before) {
        if (performance.now() - beganMs > PATIENCE_MS) throw new Error(`a payment of ${name} never shows`);
        await sleep(pollMs);
      }
      waits.push(performance.now() - beganMs);
    }
  };
  const kind = isAsync ? "async" : "direct";
  await Promise.all(Array.from({ length: atOnce }, (_, at) => merchant(`${kind}-${at}`)));
  return waits;
}

/** Milliseconds from the end of the grace of a window to the moment in which ClickHouse has each merchant's row of it. */
export async function measureInHistory(parties: Parties, sql: ClickHouseClient, startMs: number): Promise<number[]> {
  await sleep(Math.max(0, startMs - Date.now()));
  const names = Array.from({ length: HISTORY_MERCHANTS }, (_, at) => `closing-${at}`);
  await send(
    parties,
    names.map((name) => paymentOf(name, name, Math.max(startMs, Date.now()))),
    false,
  );
  const closesMs = startMs + WINDOW_MS + GRACE_MS;
  await sleep(closesMs - Date.now());
  const waits = new Map<string, number>();
  while (waits.size < names.length) {
    const answer = await sql.query({
      query: `SELECT DISTINCT merchant_id AS merchant FROM windows
        WHERE startsWith(merchant_id, 'closing-') AND window_start = toDateTime({start:UInt32}, 'UTC')`,
      query_params: { start: startMs / 1000 },
      format: "JSONEachRow",
    });
    const seenMs = Date.now() - closesMs;
    for (const { merchant } of await answer.json<{ merchant: string }>()) {
      if (!waits.has(merchant)) waits.set(merchant, seenMs);
    }
    if (seenMs > 5 * PATIENCE_MS) throw new Error(`${waits.size} of ${names.length} windows are in ClickHouse`);
    await sleep(HISTORY_POLL_MS);
  }
  return [...waits.values()];
}

async function shownCount({ apiUrl, readerKey }: Parties, merchant: string, atMs: number): Promise<number> {
  const fromMs = windowStart(atMs);
  const path = `/v1/merchants/${merchant}/metrics?from=${fromMs}&to=${fromMs + WINDOW_MS}&currency=JPY`;
  const answer = await fetch(`${apiUrl}${path}`, { headers: { Authorization: `Bearer ${readerKey}` } });
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return shownSchema.parse(await answer.json()).series[0]?.total.payments.count ?? 0;
}

async function send({ ingestUrl, sourceKey }: Parties, events: readonly object[], isAsync: boolean): Promise<void> {
  const headers = {
    Authorization: `Bearer ${sourceKey}`,
    "Content-Type": "application/json",
    ...(isAsync ? { Prefer: "respond-async" } : {}),
  };
  const answer = await post({ url: `${ingestUrl}/v1/events`, headers }, Buffer.from(JSON.stringify(events)));
  if (answer.status !== (isAsync ? 202 : 200)) throw new Error(`events are answered ${answer.status}: ${answer.text}`);
}

function paymentOf(merchant_id: string, event_id: string, occurred_at: number): object {
  return { event_id, type: "payment", merchant_id, occurred_at, amount: 550, currency: "JPY", payment_method: "card" };
}
