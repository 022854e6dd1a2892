import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startClickHouse } from "../scripts/clickhouse.ts";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { DEMO_EVENTS_PER_SECOND } from "../scripts/demo.ts";
import { demoMerchants } from "../scripts/demo-merchants.ts";
import { demoPast } from "../scripts/demo-past.ts";
import { DEMO_SEED } from "../scripts/demo-traffic.ts";
import { DAY_MS } from "../shared/window.ts";
import { type HeldRequests, holdInserts } from "./held-requests.ts";
import { answered, until } from "./system.ts";

const DAYS = 3;
/** One of the café's zone, one of half hours. */
const COMPARED = ["cafe-hoshino", "chai-junction"] as const;

let dir: string;
let start: Start | undefined;
/** What ClickHouse counts anew, as it does all of the past. */
let counting: HeldRequests;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-demo-"));
  const clickhouse = await startClickHouse({ dataDir: join(dir, "clickhouse") });
  await migrateClickHouse(clickhouse);
  const { url, user: username, password } = clickhouse;
  const sql = createClient({ url, username, password, database: "tally" });
  counting = await holdInserts(sql, "recounted_windows");
  await sql.close();
  await clickhouse.stop();
});
afterAll(async () => {
  await start?.end("SIGKILL");
  await counting?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** `npm start` as somebody runs it. */
interface Start {
  readonly apiUrl: string;
  readonly merchantKey: string;
  readonly operatorKey: string;
  /** What it has printed. */
  readonly output: () => string;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** The first one builds the Workers, as somebody's does; a later one takes what that has built. */
async function npmStart(isFirst = false): Promise<Start> {
  const ports = ["ingest", "api", "clickhouse"].flatMap((name) => [`--${name}-port`, "0"]);
  const built = isFirst ? [] : ["--bundles", join(dir, "bundles")];
  const args = ["scripts/start.ts", "--state", dir, "--history-days", String(DAYS), ...built, ...ports];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
  const [, apiUrl = "", merchantKey = ""] = await until("Tally to run", async () => {
    if (child.exitCode !== null) throw new Error(output);
    return /(http:\S+)\/#key=(\S+)/.exec(output) ?? undefined;
  });
  const [, operatorKey = ""] = (await until("the keys", async () => /operator key\s+(\S+)/.exec(output))) ?? [];
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  return { apiUrl, merchantKey, operatorKey, output: () => output, end };
}

const metricsSchema = z.object({
  notices: z.array(z.object({ code: z.string() })),
  series: z.array(
    z.object({
      buckets: z.array(z.object({ payments: z.object({ count: z.int() }), refunds: z.object({ count: z.int() }) })),
    }),
  ),
});

/** Payments and refunds of a merchant by day of UTC, and what is said about them. */
async function daysOf(
  { apiUrl, operatorKey }: Start,
  merchant: string,
  { fromMs, toMs }: Span,
  key: string = operatorKey,
) {
  const query = new URLSearchParams({ from: String(fromMs), to: String(toMs), granularity: "1d", tz: "UTC" });
  const headers = { Authorization: `Bearer ${key}` };
  const answer = await answered(() => fetch(`${apiUrl}/v1/merchants/${merchant}/metrics?${query}`, { headers }));
  const { notices, series } = metricsSchema.parse(await answer.json());
  return {
    notices,
    days: series[0]?.buckets.map(({ payments, refunds }) => [payments.count, refunds.count]) ?? [],
  };
}

type Span = { readonly fromMs: number; readonly toMs: number };

/** Whole days of UTC of the history, and what happened in them. */
function expectation(nowMs: number) {
  const todayMs = nowMs - (nowMs % DAY_MS);
  const span = { fromMs: todayMs - (DAYS + 1) * DAY_MS, toMs: todayMs - 2 * DAY_MS };
  const past = demoPast({
    merchants: demoMerchants(),
    merchantIds: new Set(COMPARED),
    seed: DEMO_SEED,
    eventsPerSecond: DEMO_EVENTS_PER_SECOND,
  })(span.fromMs, span.toMs);
  const count = (merchant: string, type: string, dayMs: number) =>
    past.filter(
      (event) =>
        event.merchant_id === merchant &&
        event.type === type &&
        event.occurred_at - (event.occurred_at % DAY_MS) === dayMs,
    ).length;
  const days = Array.from({ length: (span.toMs - span.fromMs) / DAY_MS }, (_, day) => span.fromMs + day * DAY_MS);
  return {
    span,
    daysOf: (merchant: string) =>
      days.map((dayMs) => [count(merchant, "payment", dayMs), count(merchant, "refund", dayMs)]),
  };
}

test("a first start that is killed in the middle of its history is made good by the next, and nothing is doubled", async () => {
  counting.hold();
  start = await npmStart(true);
  const first = start;
  const { span, daysOf: expected } = expectation(Date.now());
  const isSomeThere = async () =>
    (await daysOf(first, COMPARED[0], span)).days.some(([payments]) => (payments ?? 0) > 0);
  do {
    counting.goOn();
    await counting.held();
  } while (!(await isSomeThere()));
  await first.end("SIGKILL");
  counting.letGo();
  expect(first.output()).not.toContain("all counted");

  start = await npmStart();
  const second = start;
  await until("the history", async () => (second.output().includes("all counted") ? true : undefined));
  for (const merchant of COMPARED) {
    expect(await daysOf(second, merchant, span)).toMatchObject({ notices: [], days: expected(merchant) });
  }
  await second.end("SIGTERM");
  expect(second.output()).toContain("Stopped.");
  expect(second.output()).not.toContain("not complete");

  const mark = z.object({ complete_to: z.int() }).parse(JSON.parse(await readFile(join(dir, "demo.json"), "utf8")));
  expect(mark.complete_to).toBeGreaterThan(span.toMs);
});

test("a later start does not send it again; the last day is there, and the key of the link reads it", async () => {
  const { span, daysOf: expected } = expectation(Date.now());
  start = await npmStart();
  const third = start;
  const todayMs = Date.now();
  const lastDay = { fromMs: todayMs - (todayMs % DAY_MS) - DAY_MS, toMs: todayMs - (todayMs % DAY_MS) };
  const { days } = await until("the last day", async () => {
    const found = await daysOf(third, COMPARED[0], lastDay, third.merchantKey);
    return (found.days[0]?.[0] ?? 0) > 0 ? found : undefined;
  });
  expect(days).toHaveLength(1);
  expect(await daysOf(third, COMPARED[0], span)).toMatchObject({ notices: [], days: expected(COMPARED[0]) });
  await third.end("SIGTERM");
  expect(third.output()).not.toContain("demo's past");
});
