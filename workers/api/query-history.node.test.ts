import { createClient } from "@clickhouse/client";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../../scripts/clickhouse.ts";
import { insert, startTestServer } from "../../scripts/clickhouse-test-server.ts";
import { DIMENSIONS, EMPTY_CELL } from "../../shared/breakdown.ts";
import { eventOf, reportOf } from "../../shared/report.arbitrary.ts";
import { EMPTY_REPORT, mergeReports, type Report } from "../../shared/report.ts";
import { DAY_MS, HOUR_MS, rolledUpDaysThrough, WINDOW_MS } from "../../shared/window.ts";
import { type MerchantWindow, toRow } from "../../shared/window-row.ts";
import { rollUp } from "../aggregate/roll-up.ts";
import { CHANGES_SETTLE_MS } from "../aggregate/roll-up-pass.ts";
import { FIGURES, type Figure } from "./figure-names.ts";
import { figureOf } from "./figures.ts";
import { unspecifiedOf } from "./present.ts";
import { QUERY_BUDGET, QueryTooExpensive, queryTooExpensive, type Spent } from "./query-budget.ts";
import { queryGroups } from "./query-history.ts";
import { FIGURES_BY_VALUE, parseQuery, type QueryParameters } from "./query-parameters.ts";
import { planQuery } from "./query-plan.ts";
import { type QueryRow, queryRows } from "./query-rows.ts";
import type { ReadHistoryEnv } from "./retention.ts";

/** The end of the daylight saving time of Berlin, and of New York a week later, lie within; nothing of it is younger than two days. */
const START_MS = Date.UTC(2026, 9, 20);
const DAYS = 16;
const END_MS = START_MS + DAYS * DAY_MS;
const NOW_MS = END_MS + 3 * DAY_MS;
const MERCHANT = "shop";

let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;
let env: ReadHistoryEnv;
let windows: MerchantWindow[];

beforeAll(async () => {
  ({ server, stop } = await startTestServer());
  const of = ({ user, password }: { user: string; password: string }): ReadHistoryEnv => ({
    CLICKHOUSE_URL: server.url,
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
    CLICKHOUSE_DATABASE: "tally",
  });
  env = of(server.reader);
  windows = generated();
  const others = windows.slice(0, 50).map((window) => ({ ...window, merchantId: "another" }));
  await insert(server, [...windows, ...others].map(toRow));
  await rollUp(of(server.writer), () => Date.now() + CHANGES_SETTLE_MS + HOUR_MS, undefined);
  // Some days are corrected after they were rolled up: what stands in their roll-ups is not true any more.
  const correctedToMs = START_MS + 5 * DAY_MS;
  windows = windows.map((window, at) => {
    if (window.startMs >= correctedToMs || at % 67 !== 0) return window;
    const report = mergeReports(window.report, reportOf([eventOf(at)]));
    return { ...window, revision: window.revision + 1, report };
  });
  await insert(server, windows.filter(({ revision, startMs }) => revision > startMs + 1).map(toRow));
});

afterAll(() => stop?.());

/** Two windows of three have nothing; now and then one has more values of a breakdown than are named. */
function generated(): MerchantWindow[] {
  return Array.from({ length: (DAYS * DAY_MS) / WINDOW_MS }, (_, at) => at).flatMap((at) =>
    ["JPY", "USD"].flatMap((currency, of) => {
      const seed = Math.imul(at * 2 + of + 1, 0x9e3779b1) >>> 0;
      if (seed % 3 !== 0) return [];
      const events = Array.from({ length: seed % 200 === 0 ? 400 : seed % 9 }, (_, n) => eventOf((seed + n) % 30_000));
      const startMs = START_MS + at * WINDOW_MS;
      return [{ merchantId: MERCHANT, currency, startMs, revision: startMs + 1, report: reportOf(events) }];
    }),
  );
}

function parameters(body: object): QueryParameters {
  const parsed = parseQuery(body, "UTC", NOW_MS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

/** What is answered when windows from `hotMs` on are the shard's. */
async function answered(query: QueryParameters, hotMs = END_MS) {
  const plan = planQuery(MERCHANT, query);
  const toMs = Math.min(query.toMs, hotMs);
  const past =
    query.fromMs < toMs
      ? await queryGroups(env, plan, [{ fromMs: query.fromMs, toMs }], QUERY_BUDGET, NOW_MS)
      : undefined;
  const hot = windows.filter(({ startMs }) => startMs >= hotMs && startMs < query.toMs && startMs >= query.fromMs);
  return queryRows(plan, query, past?.groups ?? [], hot);
}

const CLOCK = ["weekday", "hour"] as const;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The same by definition: each window by itself put into its group by the runtime's own calendar, and nothing shared with the answer but the merge. */
function folded(query: QueryParameters): string[] {
  const { zone, dimensions, buckets, breakdown, metrics } = query;
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    hourCycle: "h23",
  });
  const groups = new Map<string, Report>();
  for (const { startMs, currency, report } of windows) {
    if (startMs < query.fromMs || startMs >= query.toMs) continue;
    if (query.currencies.length > 0 && !query.currencies.includes(currency)) continue;
    const parts = new Map(clock.formatToParts(startMs + WINDOW_MS / 2).map(({ type, value }) => [type, value]));
    const bucket = buckets?.find(({ startMs: from, endMs }) => startMs >= from && startMs < endMs)?.startMs ?? 0;
    const weekday = dimensions.has("weekday") ? WEEKDAYS.indexOf(parts.get("weekday") ?? "") + 1 : 0;
    const hour = dimensions.has("hour") ? Number(parts.get("hour")) : 0;
    const key = JSON.stringify([currency, bucket, weekday, hour]);
    groups.set(key, mergeReports(groups.get(key) ?? EMPTY_REPORT, report));
  }
  return [...groups].flatMap(([key, report]) => {
    if (breakdown === undefined) return [lineOf(JSON.parse(key), "", metrics, report)];
    const { values, other } = report.breakdowns[breakdown.dimension];
    const cells = [
      ...[...values].map(([value, cell]) => ({ part: "value", value, cell })),
      { part: "other", value: null, cell: other },
      { part: "unspecified", value: null, cell: unspecifiedOf(report.breakdowns[breakdown.dimension], report) },
    ].filter(({ value }) => {
      if (breakdown.filter === undefined) return true;
      return breakdown.filter.keeps === (value !== null && breakdown.filter.values.has(value));
    });
    const paid = ({ count, amount } = EMPTY_CELL) => ({
      ...EMPTY_REPORT,
      payments_count: count,
      payments_amount: amount,
    });
    if (!dimensions.has(breakdown.dimension)) {
      const sum = cells.reduce((sum, { cell }) => mergeReports(sum, paid(cell)), EMPTY_REPORT);
      return [lineOf(JSON.parse(key), "", metrics, sum)];
    }
    return cells
      .filter(({ cell }) => cell.count > 0)
      .map(({ part, value, cell }) => lineOf(JSON.parse(key), `${part} ${value}`, metrics, paid(cell)));
  });
}

function lineOf(key: unknown[], part: string, metrics: readonly Figure[], report: Report): string {
  return [...key, part, ...metrics.map((metric) => `${metric} ${figureOf(report, metric)}`)].join("|");
}

function lineOfRow({ currency, bucketMs, weekday, hour, part, value, figures }: QueryRow): string {
  const shown = [...figures].map(([metric, figure]) => `${metric} ${figure}`);
  return [currency, bucketMs, weekday, hour, part === undefined ? "" : `${part} ${value}`, ...shown].join("|");
}

const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"];

const queries = fc
  .record({
    tz: fc.constantFrom(...zones),
    fromMs: fc.noBias(fc.integer({ min: 0, max: (DAYS - 1) * 24 * 12 })).map((fives) => START_MS + fives * 300_000),
    days: fc.noBias(fc.integer({ min: 1, max: 90 })).map((tenths) => tenths / 10),
    time: fc.constantFrom(undefined, "1h", "1d", "1w"),
    clock: fc.subarray([...CLOCK]),
    by: fc.option(fc.constantFrom(...DIMENSIONS), { nil: undefined }),
    shown: fc.boolean(),
    filter: fc.constantFrom(
      undefined,
      { in: ["qr-1", "qr-20", "gold1", "g1"] },
      { not_in: ["漢3", "qr-7"] },
      { eq: "J5" },
    ),
    currency: fc.constantFrom(undefined, "JPY", ["JPY", "USD"], "USD", "EUR"),
    metrics: fc.subarray([...FIGURES], { minLength: 1 }),
    hot: fc.constantFrom(0, 0.3, 0.7, 0.95, 1.2),
  })
  .map(({ tz, fromMs, days, time, clock, by, shown, filter, currency, metrics, hot }) => {
    const ofValue = by !== undefined && (shown || filter !== undefined);
    const asked = ofValue ? metrics.filter((metric) => FIGURES_BY_VALUE.has(metric)) : metrics;
    const toMs = Math.min(END_MS, fromMs + Math.ceil(days * DAY_MS));
    const body = {
      ...{ tz, from: String(fromMs), to: String(toMs), limit: 10_000 },
      metrics: asked.length === 0 ? ["payments.count"] : asked,
      dimensions: [
        ...(time ? ["time"] : []),
        ...clock,
        ...(by && ofValue && (shown || filter === undefined) ? [by] : []),
      ],
      ...(time && { granularity: time }),
      where: { ...(currency && { currency }), ...(by && filter && { [by]: filter }) },
    };
    return { body, hotMs: Math.floor((fromMs + (toMs - fromMs) * hot) / WINDOW_MS) * WINDOW_MS };
  });

test("a query answers what its windows come to one by one, wherever the shard's begin and whatever roll-ups are behind", async () => {
  await fc.assert(
    fc.asyncProperty(queries, async ({ body, hotMs }) => {
      const query = parameters(body);
      const { rows, rowsFound } = await answered(query, hotMs);
      expect(rowsFound).toBeLessThanOrEqual(query.limit);
      expect(rows.map(lineOfRow).sort()).toEqual(folded(query).sort());
    }),
    { numRuns: 120 },
  );
});

test("having, order and limit are of the metrics as they are shown, and rows of equal ones have one order", async () => {
  const query = parameters({
    ...{ from: String(START_MS), to: String(END_MS), dimensions: ["hour"], where: { currency: "JPY" }, limit: 5 },
    metrics: ["p90", "payments.count", "customers"],
    having: [{ metric: "payments.count", op: "gte", value: 100 }],
    order: [{ by: "customers", direction: "desc" }],
  });
  const all = await answered({ ...query, having: [], order: [], limit: 1_000 });
  const expected = all.rows
    .filter(({ figures }) => Number(figures.get("payments.count")) >= 100)
    .sort((a, b) => Number(b.figures.get("customers")) - Number(a.figures.get("customers")) || a.hour - b.hour);
  const { rows, rowsFound } = await answered(query);
  expect(rows.map(lineOfRow)).toEqual(expected.slice(0, 5).map(lineOfRow));
  expect(rowsFound).toBe(expected.length);
});

test("values beyond those that are named are said to be there", async () => {
  const query = parameters({
    ...{ from: String(START_MS), to: String(END_MS), metrics: ["payments.count"] },
    where: { payment_method: { eq: "qr-1" } },
  });
  expect(await answered(query)).toMatchObject({ hasOther: true });
});

const heavy = {
  from: String(START_MS),
  to: String(END_MS),
  tz: "Asia/Kolkata",
  metrics: ["p99", "customers"],
  dimensions: ["time", "hour"],
  granularity: "1h",
};

test.each<[Spent, number, string]>([
  ["rowsRead", 10, "rows_read"],
  ["bytesRead", 1_000, "bytes_read"],
  ["memoryBytes", 100_000, "memory_bytes"],
  ["groups", 3, "groups"],
  ["resultBytes", 1_000, "result_bytes"],
  ["executionMs", 1, "execution_ms"],
])("a query beyond its budget of %s is refused, and says so", async (budget, limit, name) => {
  const plan = planQuery(MERCHANT, parameters(heavy));
  const asked = queryGroups(env, plan, [plan], { ...QUERY_BUDGET, [budget]: limit }, NOW_MS);
  const error = await asked.catch((error: unknown) => error);
  if (!(error instanceof QueryTooExpensive)) throw error;
  const { status, code, detail, extensions } = queryTooExpensive(error);
  expect({ status, code, extensions }).toEqual({
    status: 422,
    code: "query_too_expensive",
    extensions: { budget: name, limit },
  });
  expect(detail).toMatch(/Ask for/);
});

test("the cost is what ClickHouse says it was", async () => {
  const plan = planQuery(MERCHANT, parameters(heavy));
  const { cost } = await queryGroups(env, plan, [plan], QUERY_BUDGET, NOW_MS);
  expect(cost.rowsRead).toBeGreaterThanOrEqual(windows.length);
  expect(cost.bytesRead).toBeGreaterThan(cost.rowsRead);
  expect(cost.elapsedMs).toBeGreaterThan(0);
});

test("what is asked for by hours of a zone of whole hours is read from roll-ups", async () => {
  expect(rolledUpDaysThrough(NOW_MS)).toBeGreaterThanOrEqual(END_MS);
  const client = createClient({ url: server.url, username: server.user, password: server.password, database: "tally" });
  const rolledUp = await client.query({
    query: "SELECT count() AS n FROM roll_ups FINAL WHERE merchant_id = 'shop' AND tier = 'hours'",
    format: "JSONEachRow",
  });
  const [{ n } = { n: "0" }] = await rolledUp.json<{ n: string }>();
  await client.close();
  expect(Number(n)).toBeGreaterThan(100);
});
