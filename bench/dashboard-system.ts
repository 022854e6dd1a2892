import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { createKey, putMerchants, putSource } from "../scripts/directory.ts";
import { startLocalSystem } from "../scripts/local-system.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../shared/window.ts";
import { rollUp } from "../workers/aggregate/roll-up.ts";
import { CHANGES_SETTLE_MS } from "../workers/aggregate/roll-up-pass.ts";
import { generateHistory, merchantOf } from "./history-data.ts";
import { makeStateDir } from "./system.ts";

/** A merchant with five years of payments behind it, and some today. */
export interface DashboardSystem {
  readonly url: string;
  /** Signs the merchant in. */
  readonly key: string;
  stop(): Promise<void>;
}

const DAYS = 1_826;
/** By whose calendar it is about noon is of no matter here: the day's payments are of its last hours. */
const TODAY_HOURS = 6;
const PAYMENTS_TODAY = 600;

export async function startDashboardSystem(log: (line: string) => void): Promise<DashboardSystem> {
  const stateDir = await makeStateDir();
  const system = await startLocalSystem({
    stateDir: join(stateDir, "system"),
    ports: { ingest: 0, api: 0, clickhouse: 0 },
    onStep: log,
  });
  const stop = async () => {
    await system.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const { directory, ingestUrl, apiUrl } = system.runtime;
    const nowMs = Date.now();
    const merchant = merchantOf(0);
    await putMerchants(
      directory,
      [{ id: merchant, name: "Café Bench", timezone: "Asia/Tokyo", currency: "JPY" }],
      nowMs,
    );
    await putSource(directory, { id: "bench", name: "Benchmark", merchants: null }, nowMs);
    const { url, user: username, password } = system.clickhouse;
    const client = createClient({ url, username, password, database: "tally" });
    log("five years of windows");
    const toMs = nowMs - (nowMs % DAY_MS) - DAY_MS;
    await generateHistory(client, { merchants: 1, fromMs: toMs - DAYS * DAY_MS, toMs });
    await client.close();
    // As the cron has done long since: five years are not read window by window.
    log("rolling them up");
    const writer = { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password };
    await rollUp({ ...writer, CLICKHOUSE_DATABASE: "tally" }, () => Date.now() + CHANGES_SETTLE_MS + HOUR_MS);
    log("today's payments");
    await sendToday(ingestUrl, await createKey(directory, "source", "bench", nowMs), merchant, nowMs);
    return { url: apiUrl, key: await createKey(directory, "merchant", merchant, nowMs), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function sendToday(ingestUrl: string, key: string, merchant: string, nowMs: number): Promise<void> {
  const payments = Array.from({ length: PAYMENTS_TODAY }, (_, at) => ({
    event_id: `bench-${at}`,
    type: "payment",
    merchant_id: merchant,
    occurred_at: nowMs - WINDOW_MS - Math.floor((at * TODAY_HOURS * HOUR_MS) / PAYMENTS_TODAY),
    amount: 300 + ((at * 37) % 1_500),
    currency: "JPY",
    payment_method: at % 3 === 0 ? "qr" : "card",
    user: { id: `u${at % 250}` },
  }));
  const response = await fetch(`${ingestUrl}/v1/events`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(payments),
  });
  if (!response.ok) throw new Error(`today's payments were not taken: ${await response.text()}`);
}
