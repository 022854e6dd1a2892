import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { DAY_MS, rolledUpDaysThrough } from "../shared/window.ts";
import { killClickHouse, killWorkers, startAgain, untilWorkingOn } from "./killing.ts";
import { answered, startTestSystem, type TestSystem, until } from "./system.ts";

const DAYS = 20;
const MERCHANTS = 60;
const finalMs = rolledUpDaysThrough(Date.now());
const span = { from: (finalMs - DAYS * DAY_MS) / 1000, to: finalMs / 1000 };

let dir: string;
let tally: TestSystem;
/** As it was started last. */
let clickhouse: ClickHouse;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-roll-up-faults-"));
  tally = await startTestSystem(dir);
  clickhouse = tally.clickhouse;
});
afterAll(async () => {
  await tally?.stop();
  await clickhouse?.stop();
  await rm(dir, { recursive: true, force: true });
});

test.each(["hours", "days"])(
  "kill -9 of ClickHouse, then of the Workers, while %s are written: roll-ups become what their windows add up to, and reads are never wrong",
  async (tier) => {
    await writeWindows();
    const expected = await paymentsStored();
    await slowDown(tier);
    for (const kill of [killAndStartClickHouse, () => killWorkers(tally)]) {
      await cronUntilWriting(tier);
      await kill();
      expect(await paymentsRead()).toBe(expected);
    }
    await tally.sql.command({ query: "DROP VIEW slow_roll_ups" });
    await until("roll-ups to be complete", async () => {
      await tally.runtime.runCron();
      return (await unlike("hours")) + (await unlike("days")) + (await unlike("months")) === 0 ? true : undefined;
    });
    expect(await rowsOf("days")).toBe(MERCHANTS * DAYS);
    expect(await paymentsRead()).toBe(expected);
  },
);

let revision = 0;

/** Every window of all merchants anew, with other counts than before. */
async function writeWindows(): Promise<void> {
  revision += 1;
  const values = `concat('shop-', toString(number % ${MERCHANTS})) AS merchant_id, 'JPY' AS currency,
    toDateTime({from:UInt32} + intDiv(number, ${MERCHANTS}) * 600, 'UTC') AS window_start, ${revision} AS revision,
    number % 7 + ${revision} AS payments_count, payments_count * 550 AS payments_amount, 1 AS amount_min, 550 AS amount_max,
    [100] AS amount_bucket, [payments_count] AS amount_bucket_count,
    ['android', 'ios'] AS by_device_value, [1, payments_count - 1] AS by_device_count, [550, payments_amount - 550] AS by_device_amount`;
  await tally.sql.command({
    query: `INSERT INTO windows (merchant_id, currency, window_start, revision, payments_count, payments_amount, amount_min, amount_max,
        amount_bucket, amount_bucket_count, by_device_value, by_device_count, by_device_amount)
      SELECT ${values} FROM numbers(${(DAYS * DAY_MS * MERCHANTS) / 600_000})`,
    query_params: span,
  });
  await tally.noteRewritten();
  // As if an hour ago, and nothing had been rolled up since: changes of the last minutes are left for a later cron.
  await tally.sql.command({ query: "TRUNCATE TABLE roll_up_progress" });
  await tally.sql.command({
    query: "INSERT INTO changed_days SELECT DISTINCT merchant_id, day, now64(3) - INTERVAL 1 HOUR FROM changed_days",
  });
}

/** What is to be killed in the middle of lasts: each block of the tier is written and then waited for. */
async function slowDown(tier: string): Promise<void> {
  await tally.sql.command({
    query: `CREATE MATERIALIZED VIEW slow_roll_ups ENGINE = Null AS SELECT sleep(1) FROM roll_ups WHERE tier = '${tier}'`,
  });
}

/** Has a cron begin, and resolves while ClickHouse is writing a tier for it. */
async function cronUntilWriting(tier: string): Promise<void> {
  let isOver = false;
  // It is cut off when it is the Workers that are killed.
  const over = () => {
    isOver = true;
  };
  void tally.runtime.runCron().then(over, over);
  await untilWorkingOn(tally, `SELECT '${tier}' AS tier`, () => isOver);
}

async function killAndStartClickHouse(): Promise<void> {
  await killClickHouse(clickhouse);
  clickhouse = await startAgain(tally);
}

async function asked(query: string): Promise<number> {
  const answer = await tally.sql.query({ query, query_params: span, format: "JSONEachRow" });
  const [row] = await answer.json<{ n: string }>();
  return Number(row?.n);
}

const rowsOf = (tier: string) => asked(`SELECT count() AS n FROM roll_ups FINAL WHERE tier = '${tier}'`);

/** Rows that roll-ups have and windows do not come to, or the other way round. */
async function unlike(tier: "hours" | "days" | "months"): Promise<number> {
  const start = { hours: "toStartOfHour", days: "toStartOfDay", months: "toStartOfMonth" }[tier];
  const merged = `SELECT merchant_id, toString(currency) AS currency, toUInt32(toDateTime(${start}(window_start), 'UTC')) AS start, sum(revision) AS version, sum(payments_count) AS payments,
      toUInt256(sum(payments_amount)) AS amount, sumMap(by_device_value, by_device_count) AS by_device
    FROM windows FINAL WHERE window_start < toDateTime({to:UInt32}, 'UTC') GROUP BY merchant_id, currency, start`;
  const rolledUp = `SELECT merchant_id, toString(currency) AS currency, toUInt32(start) AS start, version, payments_count AS payments,
      toUInt256(payments_amount) AS amount, (by_device_value, by_device_count) AS by_device
    FROM roll_ups FINAL WHERE tier = '${tier}'`;
  const apart = (one: string, other: string) => asked(`SELECT count() AS n FROM (${one} EXCEPT ${other})`);
  return (await apart(merged, rolledUp)) + (await apart(rolledUp, merged));
}

/** Of one merchant, by plain SQL. */
const paymentsStored = () => asked("SELECT sum(payments_count) AS n FROM windows FINAL WHERE merchant_id = 'shop-7'");

/** Of the same merchant, as the API answers by the day, which takes roll-ups where it can. */
async function paymentsRead(): Promise<number> {
  const path = `/v1/merchants/shop-7/metrics?from=${span.from * 1000}&to=${span.to * 1000}&granularity=1d&tz=UTC`;
  const { series } = (await (await answered(() => tally.read(path))).json()) as {
    series: { buckets: { payments: { count: number } }[] }[];
  };
  return series[0]?.buckets.reduce((sum, { payments }) => sum + payments.count, 0) ?? 0;
}
