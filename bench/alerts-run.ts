import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { randomIv, sealSecret } from "../workers/alerts/sealed-secret.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { cpuTimeUs } from "./cpu.ts";
import { significant } from "./numbers.ts";
import { post } from "./send.ts";
import { type BenchSystem, makeStateDir, startBenchSystem } from "./system.ts";

export interface AlertsRun {
  readonly alerts: number;
  readonly perMerchant: number;
  readonly quietShare: number;
  readonly baselineShare: number;
  readonly rounds: number;
  readonly log: (line: string) => void;
}

/** One run of the cron. */
export interface RunFigures {
  /** The first time all are due, or the second. */
  readonly round: number;
  readonly looked: number;
  readonly fired: number;
  readonly unknown: number;
  readonly overdue: number;
  /** Notices that arrived. */
  readonly told: number;
  readonly seconds: number;
  /** Of workerd, D1 and shards in it. */
  readonly cpu_ms_per_look: number;
}

const ALERT_KEY = "a1".repeat(32);
const ROWS_AT_ONCE = 2_000;
const EVENTS_AT_ONCE = 1_000;
/** The rows of one insert, each one SQL writes of JSON. */
const INSERT_SQL = `INSERT INTO alerts (id, merchant_id, name, rule, url, secret, is_enabled, due_at, created_at, updated_at)
  SELECT value ->> 'id', value ->> 'merchant', 'bench', value ->> 'rule', ?, value ->> 'secret', 1, ?, 1, 1 FROM json_each(?)`;

const outcomeSchema = z.object({
  task: z.literal("looks at alerts"),
  outcome: z.object({ looked: z.number(), fired: z.number(), unknown: z.number(), overdue: z.number() }),
});

/** Starts a system with ClickHouse, and has its cron come to all alerts, twice. */
export async function runAlerts(run: AlertsRun): Promise<RunFigures[]> {
  const { alerts, perMerchant, quietShare, rounds, log } = run;
  const stateDir = await makeStateDir();
  const clickhouse = await startClickHouse({ dataDir: join(stateDir, "clickhouse") });
  const logged: string[] = [];
  const receiver = await startReceiver();
  try {
    await migrateClickHouse({ url: clickhouse.url, user: clickhouse.user, password: clickhouse.password });
    const system = await startBenchSystem({
      stateDir: join(stateDir, "system"),
      bundles: REAL_BUNDLES,
      clickhouse,
      alertKey: ALERT_KEY,
      onLog: (message) => logged.push(message),
    });
    try {
      const merchants = Math.ceil(alerts / perMerchant);
      log(`${merchants} merchants, of whom one in ${Math.round(1 / quietShare)} sells nothing`);
      await sell(system, merchants, quietShare);
      await insertAlerts(system, run, receiver.url);
      const figures: RunFigures[] = [];
      for (let round = 1; round <= rounds; round++) {
        await system.runtime.directory.prepare("UPDATE alerts SET due_at = ?").bind(Date.now()).run();
        for (let left = alerts; left > 0; ) {
          const figure = await runOnce(system, round, logged, receiver);
          figures.push(figure);
          log(JSON.stringify(figure));
          left -= figure.looked;
          if (figure.looked === 0) throw new Error(logged.slice(-5).join("\n"));
        }
      }
      return figures;
    } finally {
      await system.stop();
    }
  } finally {
    await receiver.stop();
    await clickhouse.stop();
  }
}

async function runOnce(
  { runtime, pid }: BenchSystem,
  round: number,
  logged: string[],
  receiver: { readonly told: () => number },
): Promise<RunFigures> {
  logged.length = 0;
  const [startMs, startUs, toldBefore] = [performance.now(), cpuTimeUs(pid), receiver.told()];
  await runtime.runAlertCron();
  const [seconds, cpuUs] = [(performance.now() - startMs) / 1_000, cpuTimeUs(pid) - startUs];
  const told = receiver.told() - toldBefore;
  const line = logged.find((line) => line.includes('"looks at alerts"'));
  const { outcome } = outcomeSchema.parse(JSON.parse(line ?? "null"));
  const { looked, fired, unknown, overdue } = outcome;
  return {
    ...{ round, looked, fired, unknown, overdue, told, seconds: significant(seconds) },
    cpu_ms_per_look: significant(cpuUs / 1_000 / Math.max(1, looked)),
  };
}

const merchantOf = (n: number) => `shop-${n}`;

/** A payment of now for each merchant that sells. */
async function sell({ runtime, sourceKey }: BenchSystem, merchants: number, quietShare: number): Promise<void> {
  const headers = { Authorization: `Bearer ${sourceKey}`, "Content-Type": "application/x-ndjson" };
  for (let at = Math.ceil(merchants * quietShare); at < merchants; at += EVENTS_AT_ONCE) {
    const events = Array.from({ length: Math.min(EVENTS_AT_ONCE, merchants - at) }, (_, n) => ({
      ...{ event_id: `e-${at + n}`, type: "payment", merchant_id: merchantOf(at + n), occurred_at: Date.now() },
      ...{ amount: 550, currency: "JPY", payment_method: "card" },
    }));
    const body = Buffer.from(events.map((event) => JSON.stringify(event)).join("\n"));
    const answer = await post({ url: `${runtime.ingestUrl}/v1/events`, headers }, body);
    if (answer.status !== 200) throw new Error(`payments are answered ${answer.status}: ${answer.text}`);
  }
}

const ALWAYS = [{ from: "00:00", to: "24:00" }];
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const NO_SALES = {
  kind: "no_sales",
  minutes: 60,
  opening_hours: Object.fromEntries(DAYS.map((day) => [day, ALWAYS])),
};
const BELOW_BASELINE = {
  kind: "below_baseline",
  figure: "payments",
  percent: 50,
  currency: null,
  base_payments_min: 10,
};

async function insertAlerts(
  { runtime }: BenchSystem,
  { alerts, perMerchant, baselineShare }: AlertsRun,
  url: string,
): Promise<void> {
  const sealing = { ALERT_KEY };
  for (let at = 0; at < alerts; at += ROWS_AT_ONCE) {
    const rows = await Promise.all(
      Array.from({ length: Math.min(ROWS_AT_ONCE, alerts - at) }, async (_, n) => {
        const id = createHash("sha256")
          .update(`${at + n}`)
          .digest("hex")
          .slice(0, 16);
        const secret = await sealSecret(sealing, id, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", randomIv());
        const rule = JSON.stringify((at + n) % 100 < 100 * baselineShare ? BELOW_BASELINE : NO_SALES);
        return { id, merchant: merchantOf(Math.floor((at + n) / perMerchant)), rule, secret };
      }),
    );
    await runtime.directory.prepare(INSERT_SQL).bind(url, Date.now(), JSON.stringify(rows)).run();
  }
}

async function startReceiver() {
  let told = 0;
  const server = createServer((request, response) => {
    told += 1;
    request.resume().on("end", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${port}/hook`, told: () => told, stop };
}
