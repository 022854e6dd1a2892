import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { killClickHouse, killWorkers, startAgain } from "./killing.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

let stateDir: string;
let tally: TestSystem;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "tally-faults-"));
  tally = await startTestSystem(stateDir);
});
afterAll(async () => {
  await tally?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const closedMoment = () => windowStart(Date.now()) - 3 * WINDOW_MS;

async function countOf(merchant: string): Promise<number | undefined> {
  const from = Date.now() - 20 * HOUR_MS;
  const response = await tally.read(`/v1/merchants/${merchant}/metrics?from=${from}&granularity=1d&currency=JPY`);
  if (!response.ok) return undefined;
  const { series } = (await response.json()) as { series: { total: { payments: { count: number } } }[] };
  return series[0]?.total.payments.count;
}

test("kill -9 of the Workers loses nothing that was counted, archived or stored", async () => {
  const events = Array.from({ length: 300 }, (_, i) =>
    payment({ occurred_at: closedMoment() + i, merchant_id: "killed" }),
  );
  expect(await (await tally.send(events)).json()).toMatchObject({ accepted: 300 });
  // A start leaves windows of this age in their pages until an event asks for them.
  const hoursAgo = (hours: number) => payment({ occurred_at: Date.now() - hours * HOUR_MS, merchant_id: "paged" });
  expect(await (await tally.send([5, 4, 3].map(hoursAgo))).json()).toMatchObject({ accepted: 3 });
  await until("the windows in history", async () => ((await stored("killed")) === 300 ? true : undefined));
  await until("the older ones in history", async () => ((await stored("paged")) === 3 ? true : undefined));
  const archived = await until("the archive", async () => {
    const { objects } = await tally.runtime.archive.list({ prefix: "raw/v1/" });
    return objects.length > 0 ? objects.map(({ key, size }) => ({ key, size })) : undefined;
  });

  await killWorkers(tally);
  const after = await until("the Workers to be back", async () => countOf("killed").catch(() => undefined));
  expect(after).toBe(300);
  const paged = () => until("an answer", () => countOf("paged"));
  expect(await paged()).toBe(3);
  // The window in the middle is the shard's again, those around it are history's.
  expect(await (await tally.send([hoursAgo(4)])).json()).toMatchObject({ accepted: 1 });
  expect(await paged()).toBe(4);
  expect(await (await tally.send(events)).json()).toMatchObject({ accepted: 0, duplicates: 300 });
  expect(await stored("killed")).toBe(300);
  const archive = await tally.runtime.miniflare.getR2Bucket("ARCHIVE", "tally-aggregate");
  const { objects } = await archive.list({ prefix: "raw/v1/" });
  expect(objects.map(({ key, size }) => ({ key, size }))).toEqual(expect.arrayContaining(archived));
});

interface Health {
  readonly verdict: string;
  readonly parts: Record<"history" | "windows_queue" | "shards", { readonly verdict: string; readonly reason: string }>;
}

async function health(): Promise<Health> {
  const answer = await tally.read("/v1/admin/health");
  expect(answer.status).toBe(200);
  return (await answer.json()) as Health;
}

test("a ClickHouse that is frozen does not hold up health, which says so and recovers with it", async () => {
  process.kill(tally.clickhouse.pid, "SIGSTOP");
  try {
    // What else is asked has the same three seconds.
    await until("all others to answer", async () => {
      const { verdict, parts } = await health();
      expect(parts.history).toMatchObject({ verdict: "down", reason: "ClickHouse: no answer in 3 s" });
      return verdict === "degraded" && parts.shards.verdict === "ok" ? true : undefined;
    });
  } finally {
    process.kill(tally.clickhouse.pid, "SIGCONT");
  }
  await until("ClickHouse to answer", async () => ((await health()).parts.history.verdict === "ok" ? true : undefined));
});

test("while ClickHouse is away payments are counted and recent spans read; the windows arrive when it is back", async () => {
  await killClickHouse(tally.clickhouse);

  const events = [payment({ occurred_at: closedMoment(), merchant_id: "away" })];
  expect(await (await tally.send(events)).json()).toMatchObject({ accepted: 1 });
  expect(await countOf("away")).toBe(1);
  expect(await countOf("paged")).toBe(4);
  const older = await tally.read("/v1/merchants/away/metrics?from=2026-01-01&to=2026-01-02");
  expect(older.status).toBe(503);
  expect(older.headers.get("Retry-After")).toMatch(/^\d+$/);
  expect(await older.json()).toMatchObject({ code: "history_unavailable" });
  const lagging = await until("the windows' queue to say that it fails", async () => {
    const seen = await health();
    return seen.parts.windows_queue.verdict === "degraded" ? seen : undefined;
  });
  expect(lagging.verdict).toBe("degraded");
  expect(lagging.parts.history).toMatchObject({ verdict: "down", reason: expect.stringMatching(/^ClickHouse: /) });
  expect(lagging.parts.windows_queue.reason).toMatch(/deliveries failed/);

  const clickhouse = await startAgain(tally);
  try {
    await until("the window in history", async () => ((await stored("away")) === 1 ? true : undefined));
    await until("history to be read again", async () => {
      const { ok } = await tally.read("/v1/merchants/away/metrics?from=2026-01-01&to=2026-01-02");
      return ok && (await health()).parts.history.verdict === "ok" ? true : undefined;
    });
  } finally {
    await clickhouse.stop();
  }
});

async function stored(merchant: string): Promise<number | undefined> {
  try {
    const answer = await tally.sql.query({
      query: "SELECT toUInt32(sum(payments_count)) AS count FROM windows FINAL WHERE merchant_id = {merchant:String}",
      query_params: { merchant },
      format: "JSONEachRow",
    });
    return (await answer.json<{ count: number }>())[0]?.count;
  } catch {
    return undefined; // Not back yet.
  }
}
