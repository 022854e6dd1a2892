import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client-web";
import { z } from "zod";
import { type HistoryEnv, historyClient } from "../history-client.ts";
import { log } from "../log.ts";
import { completed, isComplete, type MerchantDay, type Pass, passSchema, passToGoOn } from "./roll-up-pass.ts";
import { NEXT_BATCH, ROLL_UPS, rollUpSql } from "./roll-up-sql.ts";

/** Merchants' days a statement rolls up: at most 288,000 windows of one currency, some seconds. */
const BATCH_DAYS_MAX = 2_000;
/** A batch that takes too much time or memory is taken in so many parts. */
const BATCH_PARTS = 10;
/** TIMEOUT_EXCEEDED, MEMORY_LIMIT_EXCEEDED. */
const TOO_LARGE: ReadonlySet<number> = new Set([159, 241]);
/** A run ends before the next begins: crons are ten minutes apart, and a Worker may work on one for fifteen (Cloudflare, "Workers limits"). */
const RUN_MS_MAX = 480_000;
const REQUEST_TIMEOUT_MS = 60_000;
const MEMORY_BYTES_MAX = 4_000_000_000;
const TASK = "roll-up";

export interface RolledUp {
  /** Merchants' days whose roll-ups were computed. */
  readonly days: number;
  /** False when there is more to do, which the next run does. */
  readonly complete: boolean;
}

/**
 * Brings `roll_ups` up to date with `windows`: goes over what has changed, in batches, and computes the roll-ups of each anew. Killed
 * anywhere, or run twice at once, it does some of them again, which changes nothing. Throws when ClickHouse does not answer.
 */
export async function rollUp(
  env: HistoryEnv,
  now: () => number = Date.now,
  batchDays = BATCH_DAYS_MAX,
): Promise<RolledUp> {
  const startedMs = now();
  const client = historyClient(env, REQUEST_TIMEOUT_MS, {
    async_insert: 0,
    // A block that is the same as one before comes because somebody removed the first.
    insert_deduplicate: 0,
    // Where ClickHouse has replicas: days are made of the hours that were written a moment ago.
    select_sequential_consistency: "1",
    optimize_aggregation_in_order: 1,
    max_execution_time: REQUEST_TIMEOUT_MS / 1000,
    max_memory_usage: String(MEMORY_BYTES_MAX),
  });
  try {
    let pass = passToGoOn(await loadPass(client), startedMs);
    let days = 0;
    while (!isComplete(pass) && now() < startedMs + RUN_MS_MAX) {
      const batch = await nextBatch(client, pass, batchDays);
      if (batch !== undefined) await rollUpBatch(client, pass, batch);
      days += batch?.days ?? 0;
      pass = batch === undefined ? completed(pass) : { ...pass, after: batch.last };
      await savePass(client, pass);
    }
    return { days, complete: isComplete(pass) };
  } finally {
    await client.close();
  }
}

interface Batch {
  readonly days: number;
  readonly last: MerchantDay;
}

const batchSchema = z.object({ days: z.coerce.number(), last_merchant: z.string(), last_day: z.string() });

async function nextBatch(client: ClickHouseClient, pass: Pass, batchDays: number): Promise<Batch | undefined> {
  const query_params = { ...passParameters(pass), batch: batchDays };
  const answer = await client.query({ query: NEXT_BATCH, query_params, format: "JSONEachRow" });
  const [row] = z.array(batchSchema).parse(await answer.json());
  if (row === undefined || row.days === 0) return undefined;
  return { days: row.days, last: { merchantId: row.last_merchant, day: row.last_day } };
}

/** In smaller batches where one takes too much; a single day that does stays without a roll-up, and is read from its windows. */
async function rollUpBatch(client: ClickHouseClient, pass: Pass, batch: Batch): Promise<void> {
  try {
    for (const rollUp of ROLL_UPS) {
      const query_params = { ...passParameters(pass), to_merchant: batch.last.merchantId, to_day: batch.last.day };
      await client.command({ query: rollUpSql(rollUp), query_params });
    }
  } catch (error) {
    if (!(error instanceof ClickHouseError && TOO_LARGE.has(Number(error.code)))) throw error;
    if (batch.days === 1) return log("error", "day not rolled up", { ...batch.last, error });
    log("warn", "roll-up goes on in smaller batches", { days: batch.days, error });
    await rollUpInParts(client, pass, batch.days);
  }
}

async function rollUpInParts(client: ClickHouseClient, pass: Pass, days: number): Promise<void> {
  for (let left = days, part = pass; left > 0; ) {
    const batch = await nextBatch(client, part, Math.min(left, Math.ceil(days / BATCH_PARTS)));
    if (batch === undefined) return;
    await rollUpBatch(client, part, batch);
    part = { ...pass, after: batch.last };
    left -= batch.days;
  }
}

function passParameters({ done, goal, after }: Pass): Record<string, unknown> {
  return {
    done_final: done.finalToMs / 1000,
    done_changed: done.changedToMs,
    goal_final: goal.finalToMs / 1000,
    goal_changed: goal.changedToMs,
    after_merchant: after.merchantId,
    after_day: after.day,
  };
}

async function loadPass(client: ClickHouseClient): Promise<Pass | undefined> {
  const query = "SELECT position FROM roll_up_progress FINAL WHERE task = {task:String}";
  const answer = await client.query({ query, query_params: { task: TASK }, format: "JSONEachRow" });
  const [row] = z.array(z.object({ position: z.string() })).parse(await answer.json());
  return row === undefined ? undefined : passSchema.parse(JSON.parse(row.position));
}

async function savePass(client: ClickHouseClient, pass: Pass): Promise<void> {
  const values = [{ task: TASK, position: JSON.stringify(pass) }];
  await client.insert({ table: "roll_up_progress", values, format: "JSONEachRow" });
}
