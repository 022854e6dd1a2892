import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { command, insert, select, startTestServer } from "../scripts/clickhouse-test-server.ts";
import { bytesOf, countedEvents, eventOf, reportOf } from "../shared/report.arbitrary.ts";
import { EMPTY_REPORT, mergeReports, type Report } from "../shared/report.ts";
import { DAY_MS, HOUR_MS, rolledUpDaysThrough, WINDOW_MS } from "../shared/window.ts";
import { toRow } from "../shared/window-row.ts";
import { rollUp } from "../workers/aggregate/roll-up.ts";
import { CHANGES_SETTLE_MS } from "../workers/aggregate/roll-up-pass.ts";
import { type HistoryRange, queryHistory } from "../workers/api/history.ts";
import type { ReadHistoryEnv } from "../workers/api/retention.ts";
import { REPORT_COLUMNS } from "../workers/merged-columns.ts";

/** Some days that are final, and one that is not: rolled up are all but the last two. */
const DAYS = 6;
const END_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const START_MS = END_MS - DAYS * DAY_MS;
const WINDOWS = (DAYS * DAY_MS) / WINDOW_MS;
const CURRENCIES = ["JPY", "USD"];

let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;
let writer: ReadHistoryEnv;
let reader: ReadHistoryEnv;

beforeAll(async () => {
  ({ server, stop } = await startTestServer());
  const env = (user: { user: string; password: string }): ReadHistoryEnv => ({
    CLICKHOUSE_URL: server.url,
    CLICKHOUSE_USER: user.user,
    CLICKHOUSE_PASSWORD: user.password,
    CLICKHOUSE_DATABASE: "tally",
  });
  writer = env(server.writer);
  reader = env(server.reader);
});

afterAll(() => stop?.());

/** What should be in history: by currency and start, the latest report and its revision. */
class Truth {
  readonly merchantId: string;
  readonly #windows = new Map<string, { currency: string; startMs: number; revision: number; report: Report }>();

  constructor(merchantId: string) {
    this.merchantId = merchantId;
  }

  /** Rows to insert: the windows as they are from now on. */
  write(windows: readonly Written[]) {
    return windows.map(({ at, currency, report }) => {
      const startMs = START_MS + at * WINDOW_MS;
      const key = `${currency} ${startMs}`;
      const revision = (this.#windows.get(key)?.revision ?? startMs) + 1;
      this.#windows.set(key, { currency, startMs, revision, report });
      return toRow({ merchantId: this.merchantId, currency, startMs, revision, report });
    });
  }

  /** The answer by the definition: every window merged into its bucket, one by one. */
  answer({ spans, boundsMs, currencies }: HistoryRange): string[] {
    const buckets = new Map<string, { revision: number; report: Report }>();
    for (const { currency, startMs, revision, report } of this.#windows.values()) {
      if (!spans.some(({ fromMs, toMs }) => startMs >= fromMs && startMs < toMs)) continue;
      if (currencies.length > 0 && !currencies.includes(currency)) continue;
      const key = `${currency} ${boundsMs.findLast((bound) => bound <= startMs)}`;
      const before = buckets.get(key) ?? { revision: 0, report: EMPTY_REPORT };
      buckets.set(key, {
        revision: Math.max(before.revision, revision),
        report: mergeReports(before.report, report),
      });
    }
    return [...buckets].map(([key, { revision, report }]) => `${key} ${revision} ${bytesOf(report)}`).sort();
  }
}

interface Written {
  readonly at: number;
  readonly currency: string;
  readonly report: Report;
}

const ALL_BATCHES = 1_000;

type Step =
  | { readonly kind: "write"; readonly windows: readonly Written[] }
  | { readonly kind: "roll up"; readonly batchDays: number; readonly batches: number }
  | { readonly kind: "lose"; readonly tier: "hours" | "days" | "months"; readonly at: number };

/** Of few windows, so that most are corrected: those of the first hour and a half of some days. */
const somewhere = fc.nat(35).map((n) => (n % 4) * (DAY_MS / WINDOW_MS) + Math.floor(n / 4));
const written = (eventsMax: number) =>
  fc.record({
    at: somewhere,
    currency: fc.constantFrom(...CURRENCIES),
    report: countedEvents(eventsMax).map(reportOf),
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("write"), windows: fc.array(written(40), { maxLength: 10 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("write"), windows: fc.array(written(500), { maxLength: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("roll up"),
      batchDays: fc.integer({ min: 1, max: 4 }),
      batches: fc.constantFrom(0, 1, 3, ALL_BATCHES, ALL_BATCHES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("lose"),
      tier: fc.constantFrom("hours", "days", "months"),
      at: fc.nat(DAYS - 1),
    }),
  },
);

const midnight = fc.nat(DAYS).map((day) => (day * DAY_MS) / WINDOW_MS);
/** Bounds and spans on windows, mostly on hours or days of some zone, as reads have them. */
const range = fc
  .record({
    stepMs: fc.constantFrom(WINDOW_MS, HOUR_MS, DAY_MS, 7 * DAY_MS),
    offsetMs: fc.constantFrom(0, 9 * HOUR_MS, 5.5 * HOUR_MS, -3 * HOUR_MS, WINDOW_MS),
    ends: fc.uniqueArray(fc.oneof(fc.integer({ min: -2, max: WINDOWS + 2 }), midnight), { minLength: 2, maxLength: 6 }),
    fromBound: fc.boolean(),
    currencies: fc.subarray(CURRENCIES),
  })
  .map(({ stepMs, offsetMs, ends, fromBound, currencies }) => {
    const edges = ends.map((at) => START_MS + at * WINDOW_MS).sort((a, b) => a - b);
    const spans = edges.flatMap((fromMs, at) => {
      const toMs = edges[at + 1];
      return at % 2 === 0 && toMs !== undefined ? [{ fromMs, toMs }] : [];
    });
    const firstMs = spans[0]?.fromMs ?? START_MS;
    const boundsMs = [fromBound ? Math.floor((firstMs - offsetMs) / stepMs) * stepMs + offsetMs : firstMs];
    for (;;) {
      const nextMs = Math.floor(((boundsMs.at(-1) ?? 0) - offsetMs) / stepMs + 1) * stepMs + offsetMs;
      if (nextMs >= (spans.at(-1)?.toMs ?? 0)) return { spans, boundsMs, currencies };
      boundsMs.push(nextMs);
    }
  });

/** All there is by day and by hour of UTC: what no roll-up escapes. */
const WHOLE = [DAY_MS, HOUR_MS].map((stepMs) => ({
  spans: [{ fromMs: START_MS, toMs: END_MS }],
  boundsMs: Array.from({ length: (END_MS - START_MS) / stepMs }, (_, n) => START_MS + n * stepMs),
  currencies: [],
}));

test("whatever was rolled up, late, lost or overtaken by corrections: history answers as its windows do, byte for byte", async () => {
  let merchants = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 8 }),
      fc.array(range, { minLength: 2, maxLength: 2 }),
      async (steps, ranges) => {
        const truth = new Truth(`shop-${merchants++}`);
        for (const each of steps) {
          await take(each, truth);
          for (const asked of [...ranges, ...WHOLE]) {
            const whole = { ...asked, merchantId: truth.merchantId };
            expect(await answer(whole)).toEqual(truth.answer(whole));
          }
        }
      },
    ),
    { numRuns: 8, endOnFailure: true },
  );
});

test("an hour whose roll-up is lost is read from its windows, also where that of its day stands at the same moment and says as much", async () => {
  const truth = new Truth("lost-hour");
  await insert(server, truth.write([{ at: 1, currency: "JPY", report: reportOf([]) }]));
  await rollUpAll();
  await take({ kind: "lose", tier: "hours", at: 0 }, truth);
  for (const asked of WHOLE) {
    const whole = { ...asked, merchantId: truth.merchantId };
    expect(await answer(whole)).toEqual(truth.answer(whole));
  }
});

async function take(each: Step, truth: Truth): Promise<void> {
  switch (each.kind) {
    case "write":
      if (each.windows.length > 0) await insert(server, truth.write(each.windows));
      return;
    case "roll up": {
      if (each.batches === ALL_BATCHES) return void (await rollUpAll());
      // A run that ends after some batches, as if it had been killed.
      let calls = 0;
      const now = () => Date.now() + CHANGES_SETTLE_MS + (++calls > each.batches + 2 ? DAY_MS : 0);
      await rollUp(writer, now, each.batchDays);
      return;
    }
    case "lose": {
      const day = (START_MS + each.at * DAY_MS) / 1000;
      const unit = each.tier === "months" ? "toStartOfMonth" : "toStartOfDay";
      const where = `merchant_id = '${truth.merchantId}' AND tier = '${each.tier}' AND ${unit}(start) = ${unit}(toDateTime(${day}, 'UTC'))`;
      return await command(server, `ALTER TABLE roll_ups DELETE WHERE ${where} SETTINGS mutations_sync = 1`);
    }
    default:
      return each satisfies never;
  }
}

async function answer(asked: HistoryRange): Promise<string[]> {
  const buckets = await queryHistory(reader, asked, Date.now());
  return buckets
    .map(({ currency, startMs, revision, report }) => `${currency} ${startMs} ${revision} ${bytesOf(report)}`)
    .sort();
}

test("a roll-up holds every final day, in hours and in days, and is what reads take", async () => {
  const truth = new Truth("rolled");
  const windows = Array.from({ length: WINDOWS }, (_, at) => ({ at, currency: "JPY", report: reportOf([]) }));
  await insert(server, truth.write(windows));
  const nowMs = await rollUpAll();
  const counts = (tier: string) =>
    select(
      server,
      `SELECT toUInt32(count()) AS rows FROM roll_ups FINAL WHERE merchant_id = 'rolled' AND tier = '${tier}'`,
    );
  const finalDays = (rolledUpDaysThrough(nowMs) - START_MS) / DAY_MS;
  expect([DAYS - 2, DAYS - 1]).toContain(finalDays);
  expect(await counts("hours")).toEqual([{ rows: finalDays * 24 }]);
  expect(await counts("days")).toEqual([{ rows: finalDays }]);

  // A roll-up that says it is of this state, and is not: only a read that takes it can tell.
  const forged =
    "INSERT INTO roll_ups SELECT * REPLACE (toUInt64(77) AS refunds_count) FROM roll_ups FINAL WHERE merchant_id = 'rolled' AND tier = 'days'";
  await command(server, `${forged} SETTINGS insert_deduplicate = 0`);
  const range = {
    merchantId: "rolled",
    spans: [{ fromMs: START_MS, toMs: END_MS }],
    boundsMs: [START_MS],
    currencies: [],
  };
  const [total] = await queryHistory(reader, range, nowMs);
  expect(total?.report.refunds_count).toBe(77 * finalDays);
});

test("a series by day in a zone of half hours is answered over five years: each of its days is a span of hours with windows at its ends", async () => {
  const truth = new Truth("kolkata");
  const windows = [0, 32, 33, 34, 200, 500].map((at) => ({ at, currency: "JPY", report: reportOf([eventOf(at)]) }));
  await insert(server, truth.write(windows));
  await rollUpAll();
  const boundsMs = Array.from({ length: 1_826 }, (_, day) => END_MS - (1_826 - day) * DAY_MS - 5.5 * HOUR_MS);
  const spans = [{ fromMs: boundsMs[0] ?? 0, toMs: END_MS }];
  const asked = { merchantId: "kolkata", spans, boundsMs, currencies: [] };
  expect(await answer(asked)).toEqual(truth.answer(asked));
});

test("sums beyond the numbers of JSON are answered to the last digit", async () => {
  const events = [0, 1, 2].map((n) => ({ ...eventOf(n), amount: Number.MAX_SAFE_INTEGER }));
  const report = reportOf(events);
  const truth = new Truth("vast");
  await insert(server, truth.write([{ at: 0, currency: "JPY", report }]));
  const spans = [{ fromMs: START_MS, toMs: END_MS }];
  const range = { merchantId: "vast", spans, boundsMs: [START_MS], currencies: [] };
  const [total] = await queryHistory(reader, range, Date.now());
  expect(total?.report.payments_amount).toBe(3n * BigInt(Number.MAX_SAFE_INTEGER));
  expect(total && bytesOf(total.report)).toEqual(bytesOf(report));
});

test("a roll-up is stored as one report is: a rank a register, 128 values of a breakdown and the rest", async () => {
  const reports = [0, 1, 2, 3, 4].map((part) =>
    reportOf(Array.from({ length: 400 }, (_, n) => eventOf(part * 300 + n))),
  );
  const truth = new Truth("canonical");
  await insert(server, truth.write(reports.map((report, at) => ({ at, currency: "JPY", report }))));
  await rollUpAll();
  const whole = toRow({
    ...{ merchantId: "canonical", currency: "JPY", startMs: START_MS, revision: 0 },
    report: reports.reduce(mergeReports, EMPTY_REPORT),
  });
  for (const tier of ["hours", "days", "months"]) {
    const [row] = await select(
      server,
      `SELECT * FROM roll_ups FINAL WHERE merchant_id = 'canonical' AND tier = '${tier}' SETTINGS output_format_json_quote_64bit_integers = 1`,
    );
    for (const column of REPORT_COLUMNS) {
      expect({ [column]: texts((row as Record<string, unknown>)[column]) }).toEqual({ [column]: texts(whole[column]) });
    }
  }
});

/** Whatever was written so far; answers as of when. The first run may only end a pass that was begun before. */
async function rollUpAll(): Promise<number> {
  const settledMs = Date.now() + CHANGES_SETTLE_MS;
  await rollUp(writer, () => settledMs);
  expect(await rollUp(writer, () => settledMs)).toMatchObject({ complete: true });
  return settledMs;
}

/** Numbers as texts, as which ClickHouse may write them. */
const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : String(value));

test("every column of the roll-ups explains itself", async () => {
  const tables = "('roll_ups', 'changed_days', 'roll_up_progress')";
  const sql = `SELECT name FROM system.columns WHERE database = 'tally' AND table IN ${tables} AND comment = ''`;
  expect(await select(server, sql)).toEqual([]);
});
