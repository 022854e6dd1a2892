import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { putMerchants } from "../scripts/directory.ts";
import { eventOf, reportOf } from "../shared/report.arbitrary.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { type MerchantWindow, toRow } from "../shared/window-row.ts";
import { metricsAnswerSchema } from "../workers/api/metrics-schema.ts";
import { queryAnswerSchema } from "../workers/api/query-schema.ts";
import { reportAnswerSchema } from "../workers/api/report-schema.ts";
import { answered, payment, startTestSystem, type TestSystem } from "./system.ts";

/** Last year's, so that all of it is final, and a year before it is kept. */
const YEAR = new Date().getUTCFullYear() - 1;
const SPRING_MS = lastSunday(2);
const AUTUMN_MS = lastSunday(9);
const WEEK_MS = 7 * DAY_MS;

let tally: TestSystem;
/** Of the merchant in Berlin: one payment in every window of some days, each of another amount. */
let windows: readonly MerchantWindow[];
let recent: readonly { readonly occurred_at: number; readonly amount: number }[];

beforeAll(async () => {
  tally = await startTestSystem();
  const shops = [
    { id: "berlin", name: "Berlin", timezone: "Europe/Berlin", currency: "EUR" },
    { id: "kuwait", name: "Kuwait", timezone: "Asia/Kuwait", currency: "KWD" },
    { id: "both", name: "Both", timezone: "Asia/Tokyo", currency: "JPY" },
  ];
  await putMerchants(tally.runtime.directory, shops, Date.now());
  const days = [SPRING_MS, AUTUMN_MS].flatMap((day) => [0, 1, 2, 3, 4, 52].map((weeks) => day - weeks * WEEK_MS));
  windows = days.flatMap((day) => windowsFrom("berlin", "EUR", day - 12 * HOUR_MS, day + 40 * HOUR_MS));
  const startMs = windowStart(Date.now());
  // The same hours a week ago, in history; those of now, the window that is open among them, are sent.
  const weekAgo = windowsFrom("both", "JPY", startMs - WEEK_MS - 6 * HOUR_MS, startMs - WEEK_MS + HOUR_MS);
  recent = [5 * HOUR_MS, 3 * HOUR_MS, 3 * HOUR_MS, HOUR_MS, WINDOW_MS, 0].map((beforeMs, at) => ({
    occurred_at: Math.min(Date.now(), startMs - beforeMs + 1_000),
    amount: 1_000 * (at + 1),
  }));
  await tally.sql.insert({ table: "windows", values: [...windows, ...weekAgo].map(toRow), format: "JSONEachRow" });
  const shop = { merchant_id: "both", merchant: { location: "=HYPERLINK(1)" } };
  const sent = await tally.send(recent.map((one) => payment({ ...one, ...shop })));
  expect(await sent.json()).toMatchObject({ accepted: recent.length });
});
afterAll(() => tally?.stop());

/** 00:00 UTC of the day on which Berlin's clock is put forward or back. */
function lastSunday(month: number): number {
  const last = new Date(Date.UTC(YEAR, month + 1, 0));
  return last.getTime() - last.getUTCDay() * DAY_MS;
}

function windowsFrom(merchantId: string, currency: string, fromMs: number, toMs: number): MerchantWindow[] {
  return Array.from({ length: (toMs - fromMs) / WINDOW_MS }, (_, at) => {
    const startMs = fromMs + at * WINDOW_MS;
    return {
      merchantId,
      currency,
      startMs,
      revision: startMs + WINDOW_MS,
      report: reportOf([paid(amountAt(startMs))]),
    };
  });
}

const amountAt = (startMs: number) => 100 + ((startMs / WINDOW_MS) % 8_191);
const paid = (amount: number) => ({ ...eventOf(0), type: "payment" as const, amount });

/** What the windows of a span of the merchant in Berlin come to. */
function sumOf(from: string, to: string) {
  const within = windows.filter(({ startMs }) => startMs >= Date.parse(from) && startMs < Date.parse(to));
  return { count: within.length, amount: within.reduce((sum, { startMs }) => sum + amountAt(startMs), 0) };
}

async function metrics(merchant: string, search: string) {
  const response = await answered(() => tally.read(`/v1/merchants/${merchant}/metrics?${search}`));
  expect(response.status).toBe(200);
  return metricsAnswerSchema.parse(await response.json());
}

async function query(merchant: string, body: object): Promise<z.output<typeof queryAnswerSchema>> {
  const response = await answered(() => ask(merchant, body));
  expect(response.status).toBe(200);
  return queryAnswerSchema.parse(await response.json());
}

function ask(merchant: string, body: unknown, { headers = {}, search = "", key = tally.operatorKey } = {}) {
  return fetch(`${tally.runtime.apiUrl}/v1/merchants/${merchant}/query${search}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: {
      Authorization: `Bearer ${key}`,
      "Content-Type": "application/json",
      "Cache-Control": "no-cache",
      ...headers,
    },
  });
}

const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);

test.each([
  ["put forward", SPRING_MS, 23 * 6],
  ["put back", AUTUMN_MS, 25 * 6],
])(
  "the day on which the clock is %s is compared with whole days, hour by hour of its clock",
  async (_, dayMs, length) => {
    const search = `from=${date(dayMs)}&to=${date(dayMs + DAY_MS)}&granularity=1h`;
    for (const [compare, days] of [
      ["same_weekday", 7],
      ["previous_period", 1],
      ["year_ago", 364],
    ] as const) {
      const answer = await metrics("berlin", `${search}&compare=${compare}`);
      const [series] = answer.series;
      expect(series?.total.payments).toEqual(sumOf(answer.from, answer.to));
      expect(series?.total.payments.count).toBe(length);
      const [base] = answer.compare?.bases ?? [];
      expect(base?.from.slice(0, 16)).toBe(`${date(dayMs - days * DAY_MS)}T00:00`);
      expect(series?.total.comparison?.base.payments).toEqual(sumOf(base?.from ?? "", base?.to ?? ""));
      for (const bucket of series?.buckets ?? []) {
        const [span] = bucket.comparison?.bases ?? [];
        if (span === undefined) continue;
        expect(span.from.slice(11, 16)).toBe(bucket.start.slice(11, 16));
        expect(bucket.comparison?.base.payments).toEqual(sumOf(span.from, span.to));
      }
      expect(series?.buckets.filter(({ comparison }) => comparison === null).length).toBe(length === 25 * 6 ? 1 : 0);
    }
  },
);

test("the average of four weeks is the mean of the same span in each", async () => {
  const search = `from=${date(AUTUMN_MS)}T09:00&to=${date(AUTUMN_MS)}T12:00&granularity=1h&compare=four_week_average`;
  const answer = await metrics("berlin", search);
  const sums = answer.compare?.bases.map(({ from, to }) => sumOf(from, to)) ?? [];
  expect(sums.map(({ count }) => count)).toEqual([18, 18, 18, 18]);
  const amount = Math.floor((sums.reduce((sum, one) => sum + one.amount, 0) + 2) / 4);
  const [series] = answer.series;
  expect(series?.total.comparison?.base.payments).toEqual({ count: 18, amount });
  const absolute = sumOf(answer.from, answer.to).amount - amount;
  expect(series?.total.comparison?.change.payments.amount.absolute).toBe(absolute);
  expect(series?.total.comparison?.change.refunds.count).toEqual({ absolute: 0, ratio: null });
});

test("a span that goes on is compared up to the window that has ended, and new is what there was nothing of", async () => {
  const from = windowStart(Date.now()) - 6 * HOUR_MS;
  const answer = await metrics("both", `from=${from}&to=now&granularity=10m&compare=same_weekday`);
  const elapsedMs = Date.parse(answer.compare?.elapsed.to ?? "");
  const ended = recent.filter(({ occurred_at }) => occurred_at < elapsedMs);
  const [series] = answer.series;
  expect(series?.total.payments.count).toBe(recent.length);
  expect(series?.total.comparison?.current?.payments).toEqual({
    count: ended.length,
    amount: ended.reduce((sum, { amount }) => sum + amount, 0),
  });
  const [base] = answer.compare?.bases ?? [];
  expect(Date.parse(base?.to ?? "")).toBe(elapsedMs - WEEK_MS);
  expect(series?.total.comparison?.base.payments.count).toBe((elapsedMs - from) / WINDOW_MS);
  expect(series?.buckets.at(-1)?.comparison ?? null).toBeNull();
  const yearAgo = await metrics("both", `from=${from}&to=now&compare=year_ago`);
  expect(yearAgo.series[0]?.total.comparison?.change.payments.count.ratio).toBe("new");
});

test("the parts of a group make the whole in every bucket, live and compared", async () => {
  const from = windowStart(Date.now()) - 6 * HOUR_MS;
  const answer = await metrics("both", `from=${from}&to=now&granularity=1h&group_by=location&compare=same_weekday`);
  const [series] = answer.series;
  const parts = series?.groups?.parts ?? [];
  expect(parts.map(({ value }) => value)).toContain("=HYPERLINK(1)");
  expect(parts.reduce((sum, { total }) => sum + total.count, 0)).toBe(series?.total.payments.count);
  for (const [at, bucket] of series?.buckets.entries() ?? []) {
    expect(parts.reduce((sum, { buckets }) => sum + (buckets[at]?.amount ?? 0), 0)).toBe(bucket.payments.amount);
    expect(bucket.breakdowns).toBeUndefined();
  }
  const base = parts.reduce((sum, { comparison }) => sum + (comparison?.base.amount ?? 0), 0);
  expect(base).toBe(series?.total.comparison?.base.payments.amount);
});

test("a query answers the same as metrics of the same span, what is in the shard and what is in history together", async () => {
  const from = String(windowStart(Date.now()) - 8 * DAY_MS);
  const total = (await metrics("both", `from=${from}&to=now&granularity=1d`)).series[0]?.total;
  const names = ["payments.count", "payments.amount", "average", "p50", "p90", "customers"];
  const all = await query("both", { from, metrics: names });
  expect(all.rows).toEqual([
    {
      ...{ currency: "JPY", average: total?.average, p50: total?.p50, p90: total?.p90, customers: total?.customers },
      ...{ "payments.count": total?.payments.count, "payments.amount": total?.payments.amount },
    },
  ]);
  expect(all.cost.hot_windows).toBeGreaterThan(0);
  expect(all.cost.rows_read).toBeGreaterThan(0);
  const map = await query("both", { from, metrics: ["payments.amount"], dimensions: ["weekday", "hour"] });
  expect(map.rows.length).toBeGreaterThan(6);
  expect(map.rows.reduce((sum, row) => sum + Number(row["payments.amount"]), 0)).toBe(total?.payments.amount);
});

test("an hour of the week is the clock's, also on the day it is put back", async () => {
  const answer = await query("berlin", {
    ...{ from: date(AUTUMN_MS), to: date(AUTUMN_MS + DAY_MS), metrics: ["payments.count"] },
    dimensions: ["weekday", "hour"],
  });
  expect(answer.rows.map((row) => row["payments.count"])).toEqual([6, 6, 12, ...Array(21).fill(6)]);
  expect(new Set(answer.rows.map(({ weekday }) => weekday))).toEqual(new Set([7]));
});

test("a query by value says which part a row is, and orders and limits", async () => {
  const from = String(windowStart(Date.now()) - 8 * DAY_MS);
  const answer = await query("both", {
    ...{ from, metrics: ["payments.count", "payments.amount"], dimensions: ["location"] },
    ...{ order: [{ by: "payments.count", direction: "desc" }], limit: 1, where: { currency: "JPY" } },
  });
  expect(answer).toMatchObject({ truncated: true, rows_found: 2 });
  const live = await query("both", { from, metrics: ["payments.count"], where: { location: { eq: "=HYPERLINK(1)" } } });
  expect(live.rows).toEqual([{ currency: "JPY", "payments.count": recent.length }]);
});

test("CSV has local times, decimals of the currency and nothing that a spreadsheet would run", async () => {
  const values = windowsFrom("kuwait", "KWD", AUTUMN_MS, AUTUMN_MS + HOUR_MS).map(toRow);
  await tally.sql.insert({ table: "windows", values, format: "JSONEachRow" });
  const path = `/v1/merchants/kuwait/metrics?from=${AUTUMN_MS}&to=${AUTUMN_MS + HOUR_MS}&granularity=10m`;
  const response = await fetch(`${tally.runtime.apiUrl}${path}`, {
    headers: { Authorization: `Bearer ${tally.operatorKey}`, Accept: "text/csv" },
  });
  expect(response.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
  expect(response.headers.get("Content-Disposition")).toBe(
    `attachment; filename="tally-metrics-kuwait-${date(AUTUMN_MS)}.csv"`,
  );
  // By `fetch`, which takes gzip, and has unpacked it.
  expect(response.headers.get("Content-Encoding")).toBe("gzip");
  const plain = await fetch(`${tally.runtime.apiUrl}${path}&format=csv`, {
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Accept-Encoding": "identity" },
  });
  expect(plain.headers.get("Content-Encoding")).toBeNull();
  const text = await response.text();
  expect(await plain.text()).toBe(text);
  const [header, first, ...rest] = text.split("\r\n");
  expect(header?.split(",").slice(0, 7)).toEqual([
    ...["start", "end", "label", "status", "currency", "payments_count", "payments_amount"],
  ]);
  const amount = String(amountAt(AUTUMN_MS)).padStart(4, "0");
  expect(first).toContain(`${date(AUTUMN_MS)}T03:00:00+03:00,`);
  expect(first).toContain(`,final,KWD,1,${amount.slice(0, -3)}.${amount.slice(-3)},`);
  expect(rest.length).toBe(6);

  const from = windowStart(Date.now()) - 6 * HOUR_MS;
  const grouped = await tally.read(`/v1/merchants/both/metrics?from=${from}&group_by=location&format=csv&bom=true`);
  const bytes = new Uint8Array(await grouped.arrayBuffer());
  expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  const table = new TextDecoder().decode(bytes);
  expect(table).toContain(",value,'=HYPERLINK(1),");
  expect(table).toContain(",unspecified,,0,0");

  const body = { from: String(from), metrics: ["net"] };
  const asked = await ask("both", body, { headers: { Accept: "text/csv" } });
  const net = recent.reduce((sum, one) => sum + one.amount, 0);
  expect(await asked.text()).toBe(`currency,net\r\nJPY,${net}\r\n`);
});

test("how large payments are is told where it is asked for: of all of the span, each payment in a step that holds its amount", async () => {
  const search = `from=${date(AUTUMN_MS)}&to=${date(AUTUMN_MS + DAY_MS)}&granularity=1h`;
  const [plain] = (await metrics("berlin", search)).series;
  const [asked] = (await metrics("berlin", `${search}&amounts=true`)).series;
  expect(plain?.total.amounts).toBeUndefined();
  const { amounts = [], ...total } = asked?.total ?? {};
  expect({ ...asked, total }).toEqual(plain);
  const paid = windows.flatMap(({ startMs }) =>
    startMs >= Date.parse(`${date(AUTUMN_MS)}T00:00:00+02:00`) &&
    startMs < Date.parse(`${date(AUTUMN_MS + DAY_MS)}T00:00:00+01:00`)
      ? [amountAt(startMs)]
      : [],
  );
  const within = amounts.map(({ from, to }) => paid.filter((amount) => amount >= from && amount < to).length);
  expect(amounts.map(({ count }) => count)).toEqual(within);
  expect(within.reduce((sum, count) => sum + count, 0)).toBe(paid.length);
});

test("what a table lacks is in a header: of a span from before history, and of rows that are cut off", async () => {
  const span = `from=${date(AUTUMN_MS - 20 * 365 * DAY_MS)}&to=${date(AUTUMN_MS - 19 * 365 * DAY_MS)}`;
  const answer = await metrics("berlin", span);
  expect(answer.notices.map(({ code }) => code)).toEqual(["before_history"]);
  const table = await tally.read(`/v1/merchants/berlin/metrics?${span}&format=csv`);
  expect(table.headers.get("Tally-Notices")).toBe("before_history");

  const body = { from: date(AUTUMN_MS), to: date(AUTUMN_MS + DAY_MS), metrics: ["net"], dimensions: ["hour"] };
  const whole = await ask("berlin", body, { headers: { Accept: "text/csv" } });
  expect(whole.headers.get("Tally-Notices")).toBeNull();
  const cut = await ask("berlin", { ...body, limit: 2 }, { headers: { Accept: "text/csv" } });
  expect((await cut.text()).split("\r\n").length).toBe(4);
  expect(cut.headers.get("Tally-Notices")).toBe("truncated");
});

test("a report is the same in either form, and as its schema says", async () => {
  const path = `/v1/merchants/berlin/report?at=${AUTUMN_MS}`;
  const report = reportAnswerSchema.parse(await (await tally.read(path)).json());
  expect(report.reports).toMatchObject([{ currency: "EUR", payments: { count: 1, amount: amountAt(AUTUMN_MS) } }]);
  const csv = await (await tally.read(`${path}&format=csv`)).text();
  expect(csv.split("\r\n")[1]).toContain(`final,EUR,1,${(amountAt(AUTUMN_MS) / 100).toFixed(2)},0,0.00,`);
});

test.each([
  ["metrics?from=2026-03-02&to=2026-03-01", "to", "empty_range"],
  ["metrics?from=2021-11-01&to=2026-11-01&granularity=10m", "granularity", "too_many_buckets"],
  ["metrics?tz=Atlantis", "tz", "unknown_zone"],
  ["metrics?currency=EUR,euro", "currency", "invalid_currency"],
  ["metrics?compare=tomorrow", "compare", "invalid_compare"],
  ["metrics?from=1970-01-02&to=1970-01-03&compare=year_ago&tz=UTC", "compare", "invalid_compare"],
  ["metrics?group_by=user", "group_by", "invalid_group_by"],
  ["metrics?amounts=20", "amounts", "invalid_amounts"],
  ["metrics?amounts=true&format=csv", "amounts", "invalid_amounts"],
  ["metrics?format=xlsx", "format", "invalid_format"],
  ["report?format=csv&bom=1", "bom", "invalid_bom"],
])("%s is refused, and says which parameter is wrong", async (path, parameter, code) => {
  const response = await tally.read(`/v1/merchants/berlin/${path}`);
  expect(response.status).toBe(400);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ code, parameter, status: 400, detail: expect.any(String) });
});

test("what reaches into centuries to come is answered, not mistaken for what ClickHouse has dates for", async () => {
  const from = date(AUTUMN_MS);
  const answer = await metrics("berlin", `from=${from}&to=2190-01-01&granularity=1mo&compare=year_ago`);
  expect(answer.series[0]?.total.payments).toEqual(sumOf(answer.from, answer.to));
  expect(answer.series[0]?.buckets.at(-1)).toMatchObject({ label: "2189-12", comparison: null });
});

test("a query that is none is refused, a large one too, and one of another's merchant", async () => {
  const wrong = await ask("berlin", "{");
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ code: "malformed_json", parameter: "body" });
  const hostile = await ask("berlin", { metrics: ["net; DROP TABLE windows"] });
  expect(await hostile.json()).toMatchObject({ status: 400, code: "invalid_query", parameter: "metrics.0" });
  expect((await ask("berlin", `"${"x".repeat(70_000)}"`)).status).toBe(413);
  const key = await tally.merchantKey("both");
  const body = { metrics: ["payments.count"], from: date(AUTUMN_MS), to: date(AUTUMN_MS + DAY_MS) };
  expect((await ask("berlin", body, { key })).status).toBe(403);
  expect(queryAnswerSchema.parse(await (await ask("both", body, { key })).json()).rows).toEqual([]);
  const value = { in: ["' OR merchant_id = 'berlin' --"] };
  const injected = await ask("both", { ...body, where: { location: value } }, { key });
  expect(queryAnswerSchema.parse(await injected.json()).rows).toEqual([]);
});

test("while ClickHouse is away today is shown without what it is compared with, and queries of it are answered", async () => {
  tally.clickhouse.kill();
  await tally.clickhouse.exited;
  const from = windowStart(Date.now()) - 6 * HOUR_MS;
  const answer = await metrics("both", `from=${from}&to=now&granularity=1d&compare=same_weekday`);
  expect(answer.notices).toMatchObject([{ code: "base_unavailable" }]);
  expect(answer.series[0]?.total).toMatchObject({ payments: { count: recent.length } });
  expect(answer.series[0]?.total.comparison).toBeUndefined();
  const live = await query("both", { from: String(from), metrics: ["payments.count"] });
  expect(live).toMatchObject({ rows: [{ "payments.count": recent.length }], cost: { rows_read: 0 } });
  const older = await ask("both", { from: String(from - WEEK_MS), metrics: ["payments.count"] });
  expect(older.status).toBe(503);
  expect(await older.json()).toMatchObject({ code: "history_unavailable" });
});
