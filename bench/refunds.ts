import { join } from "node:path";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { z } from "zod";
import { startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { createKey, putMerchants } from "../scripts/directory.ts";
import { DAY_MS, WINDOW_MS } from "../shared/window.ts";
import { metricsAnswerSchema } from "../workers/api/metrics-schema.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { msOf } from "./history-reads.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { median, significant } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { compactHours, fillArchive, fillWindows, type Shop, shopEvents } from "./refunds-data.ts";
import { makeStateDir, startBenchSystem } from "./system.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run bench:refunds -- [--payments 500] [--refunds 0.02] [--objects 40] [--rounds 3] [--json]
  What an answer with refunds_by=sale leaves unread: of a shop that is open 12 hours a day, over 1, 7 and 31 days, three, six and twelve months, whose hours are
  not compacted, and then compacted. Each span ends
  two days ago.
  --payments   of the shop, a day
  --refunds    of payments, how many are refunded within a fortnight
  --objects    that an hour has before it is compacted
  --rounds     times each span is asked for; the median counts
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  payments: z.coerce.number().int().min(1).max(100_000),
  refunds: z.coerce.number().min(0).max(1),
  objects: z.coerce.number().int().min(1).max(720),
  rounds: z.coerce.number().int().min(1).max(100),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  ...{ payments: "500", refunds: "0.02", objects: "40", rounds: "3", json: false },
});

const DAYS_ASKED = [1, 7, 31, 89, 183, 365] as const;
/** What the archive has: a span of months is refused before any of it is read. */
const ARCHIVED_DAYS = 33;
const COUNTED_DAYS = 92;
const MEMORY_BYTES_MAX = 4 * 1024 ** 3;
const SEED = "refunds";

interface Reading {
  readonly days: number;
  readonly ms: number;
  /** Of refunds made since the span began, how many are unread, 0 to 1; `undefined` when it was refused. */
  readonly refundsUnread: number | undefined;
  /** The same of payments of the span. */
  readonly salesUnread: number | undefined;
  readonly refused: string | undefined;
}

const log = (line: string) => console.error(line);
const startedMs = Date.now();
const stateDir = await makeStateDir();
const clickhouse = await startClickHouse({ dataDir: join(stateDir, "clickhouse"), maxMemoryBytes: MEMORY_BYTES_MAX });
try {
  await migrateClickHouse(clickhouse);
  const system = await startBenchSystem({
    stateDir: join(stateDir, "system"),
    bundles: REAL_BUNDLES,
    clickhouse,
    onLog: () => {},
  });
  const { url, user: username, password } = clickhouse;
  const admin = createClient({ url, username, password, database: "tally", log: { level: ClickHouseLogLevel.OFF } });
  try {
    const { runtime } = system;
    // All windows are final then: shards have nothing to say.
    const toMs = Math.floor(startedMs / DAY_MS) * DAY_MS - 2 * DAY_MS;
    const shop: Shop = {
      ...{ merchantId: "shop", fromMs: toMs - COUNTED_DAYS * DAY_MS, toMs },
      ...{ paymentsADay: options.payments, refundShare: options.refunds },
    };
    const events = shopEvents(shop, SEED);
    await putMerchants(runtime.directory, [{ id: "shop", name: "Shop", timezone: "UTC", currency: "JPY" }], startedMs);
    const key = await createKey(runtime.directory, "merchant", "shop", startedMs);
    await fillWindows(admin, shop.merchantId, events);
    const archived = events.filter(({ occurred_at }) => occurred_at >= toMs - ARCHIVED_DAYS * DAY_MS);
    const hours = await fillArchive(runtime.archive, shop.merchantId, archived, options.objects);
    log(`${hours.length} hours of ${options.objects} objects: ${archived.length} events of the shop`);
    const readAll = async () => {
      const readings: Reading[] = [];
      for (const days of DAYS_ASKED) readings.push(await readSpan(runtime.apiUrl, key, toMs, days));
      return readings;
    };
    const lines = await readAll();
    log("read as lines");
    await compactHours(runtime.archive, admin, runtime.archiveS3, hours);
    log("compacted");
    const parquet = await readAll();
    report(lines, parquet);
  } finally {
    await admin.close();
    await system.stop();
  }
} finally {
  await clickhouse.stop();
}

async function readSpan(apiUrl: string, key: string, toMs: number, days: number): Promise<Reading> {
  const headers = { Authorization: `Bearer ${key}`, "Cache-Control": "no-cache" };
  const times: number[] = [];
  let refused: string | undefined;
  const unread: { readonly refunds: number; readonly sales: number }[] = [];
  for (let round = 0; round < options.rounds; round++) {
    // Another question each time, of the same hours: what has been answered is kept.
    const fromMs = toMs - days * DAY_MS + round * WINDOW_MS;
    const target = `${apiUrl}/v1/merchants/shop/metrics?from=${fromMs}&to=${toMs}&granularity=1d&tz=UTC&refunds_by=sale`;
    times.push(
      await msOf(async () => {
        const answer = await fetch(target, { headers });
        const body: unknown = await answer.json();
        if (answer.ok) unread.push(sharesOf(metricsAnswerSchema.parse(body)));
        else refused = z.looseObject({ code: z.string() }).parse(body).code;
      }),
    );
  }
  const shareOf = (of: (one: (typeof unread)[number]) => number) =>
    unread.length === 0 ? undefined : significant(median(unread.map(of)));
  return {
    ...{ days, ms: Math.round(median(times)), refused },
    ...{ refundsUnread: shareOf(({ refunds }) => refunds), salesUnread: shareOf(({ sales }) => sales) },
  };
}

function sharesOf({ series, refunds }: z.output<typeof metricsAnswerSchema>) {
  const [jpy] = series;
  if (jpy?.refunds_undated === undefined || refunds === undefined) throw new Error("an answer without refunds by sale");
  const { unread, of_other_sales, without_sale } = jpy.refunds_undated;
  const made = unread.count + of_other_sales.count + without_sale.count + (jpy.total.refunds.count ?? 0);
  return { refunds: unread.count / made, sales: refunds.sales_unread / (jpy.total.payments.count ?? 0) };
}

/** A table, or one JSON line whose keys stay. */
function report(lines: readonly Reading[], parquet: readonly Reading[]): void {
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  if (options.json) {
    console.log(JSON.stringify({ lines, parquet, ...options, json: undefined, machine, date }));
    return;
  }
  const shown = (share: number | undefined) => (share === undefined ? "" : `${(100 * share).toFixed(1)} %`);
  const rows = [
    ["hours", "days", "refunds unread", "payments unread", "ms", "refused"],
    ...[...lines.map((one) => ["lines", one] as const), ...parquet.map((one) => ["Parquet", one] as const)].map(
      ([kind, { days, refundsUnread, salesUnread, ms, refused }]) => [
        ...[kind, String(days), shown(refundsUnread), shown(salesUnread), String(ms), refused ?? ""],
      ],
    ),
  ];
  console.log(`${tableText(rows)}\n\n${machineLine(machine)}\n${date}`);
}
