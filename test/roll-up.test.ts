import { afterAll, beforeAll, expect, test } from "vitest";
import { EMPTY_REPORT } from "../shared/report.ts";
import { DAY_MS, WINDOW_MS } from "../shared/window.ts";
import { toRow } from "../shared/window-row.ts";
import { answered, startTestSystem, type TestSystem } from "./system.ts";

/** A day that is final. */
const DAY_START_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS - 7 * DAY_MS;

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

test("the cron rolls up a final day, and a correction that comes after it is read at once", async () => {
  await writeDay(1, 1);
  // As if it had been written an hour ago: changes of the last minutes are left for the next cron.
  const query = "INSERT INTO changed_days SELECT merchant_id, day, now64(3) - INTERVAL 1 HOUR FROM changed_days";
  await tally.sql.command({ query });
  await tally.runtime.runCron();
  expect(await rolledUp("days")).toEqual([{ rows: "1", refunds: "144" }]);
  expect(await rolledUp("hours")).toEqual([{ rows: "24", refunds: "144" }]);
  expect(await rolledUp("months")).toEqual([{ rows: "1", refunds: "144" }]);
  expect(await refundsRead()).toBe(144);

  await writeDay(2, 3);
  expect(await rolledUp("days")).toEqual([{ rows: "1", refunds: "144" }]);
  expect(await refundsRead()).toBe(3 * 144);
});

/** Every window of the day, with so many refunds each. */
async function writeDay(revision: number, refunds: number): Promise<void> {
  const values = Array.from({ length: DAY_MS / WINDOW_MS }, (_, at) =>
    toRow({
      ...{ merchantId: "shop", currency: "JPY", startMs: DAY_START_MS + at * WINDOW_MS, revision },
      report: { ...EMPTY_REPORT, refunds_count: refunds },
    }),
  );
  await tally.sql.insert({ table: "windows", values, format: "JSONEachRow" });
  await tally.noteRewritten();
}

async function rolledUp(tier: string): Promise<unknown> {
  const query = `SELECT toString(count()) AS rows, toString(sum(refunds_count)) AS refunds FROM roll_ups FINAL WHERE tier = '${tier}'`;
  return await (await tally.sql.query({ query, format: "JSONEachRow" })).json();
}

async function refundsRead(): Promise<unknown> {
  const from = new Date(DAY_START_MS).toISOString();
  const to = new Date(DAY_START_MS + DAY_MS).toISOString();
  const path = `/v1/merchants/shop/metrics?from=${from}&to=${to}&granularity=1d&tz=UTC`;
  const { series } = (await (await answered(() => tally.read(path))).json()) as {
    series: { total: { refunds: { count: number } } }[];
  };
  return series[0]?.total.refunds.count;
}
