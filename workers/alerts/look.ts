import { DAY_MS, WINDOW_MS } from "../../shared/window.ts";
import { figureOf } from "../api/figures.ts";
import { HistoryUnavailable, queryHistory } from "../api/history.ts";
import { ShardUnavailable } from "../api/hot-windows.ts";
import { countLateWindows } from "../api/merchant.ts";
import { type ReadEnv, readRange } from "../api/read-range.ts";
import type { HistorySpan } from "../api/tiers.ts";
import { startDeadline } from "../deadline.ts";
import type { TakenAlert } from "../directory/alert-runs.ts";
import {
  type Baseline,
  type BaselineLook,
  baselineKey,
  baselineOf,
  baseSpansOf,
  type ComparedDay,
  comparedDay,
  elapsedOf,
  judgeBaseline,
  nextBaselineLook,
  type Sold,
} from "./baseline.ts";
import type { UnknownReason } from "./check.ts";
import { type Looked, UNKNOWN_LOOK_MS } from "./looks.ts";
import { askSales, judgeSales, type NoSalesLook } from "./no-sales.ts";
import { checkPipeline, type Pipeline } from "./pipeline.ts";
import type { BelowBaselineRule } from "./rule.ts";

/** Looks at one alert: reads what its rule needs, and has it judged. */

/** Whoever has not answered by then is away, for this look. */
const LOOK_TIMEOUT_MS = 15_000;
/** What is not counted of a day after this is not waited for: yesterday's payments do not end today's gap. */
const LAG_MS_MAX = DAY_MS;

export interface LookedAt extends Looked {
  /** Where it was read anew. */
  readonly baseline?: Baseline;
}

/** Never throws for what is away: then the look found nothing out. */
export async function lookAt(env: ReadEnv, alert: TakenAlert, pipeline: Pipeline, nowMs: number): Promise<LookedAt> {
  const deadline = startDeadline(LOOK_TIMEOUT_MS);
  try {
    const late = deadline.passing.then(() => unknown("shard_unavailable", nowMs));
    return await Promise.race([ask(env, alert, pipeline, nowMs), late]);
  } catch (error) {
    if (error instanceof ShardUnavailable) return unknown("shard_unavailable", nowMs);
    if (error instanceof HistoryUnavailable) return unknown("history_unavailable", nowMs);
    throw error;
  } finally {
    deadline.cancel();
  }
}

async function ask(env: ReadEnv, alert: TakenAlert, pipeline: Pipeline, nowMs: number): Promise<LookedAt> {
  const { rule, merchantId } = alert;
  if (rule.kind !== "no_sales" && rule.kind !== "below_baseline") return checkPipeline(rule, pipeline, nowMs);
  if (merchantId === null) throw new Error(`the alert ${alert.id} is of no merchant`);
  const { logAgeMs } = pipeline;
  if (logAgeMs === null) return unknown("pipeline_unknown", nowMs);
  if (logAgeMs > LAG_MS_MAX) return unknown("queue_lag", nowMs);
  const countedMs = nowMs - logAgeMs;
  return rule.kind === "no_sales"
    ? await lookForSales(env, merchantId, {
        rule,
        zone: alert.timezone,
        nowMs,
        countedMs,
      })
    : await compareWithBaseline(env, merchantId, alert, rule, { nowMs, countedMs });
}

async function lookForSales(env: ReadEnv, merchantId: string, look: NoSalesLook): Promise<LookedAt> {
  const asked = askSales(look);
  if (!asked.isOpen) return asked.looked;
  const { fromMs, toMs } = asked.span;
  const boundsMs = windowsOf(asked.span);
  const { currencies } = await readRange(env, { merchantId, fromMs, toMs, boundsMs, currencies: [] }, look.nowMs);
  const soldInMs = [...currencies.values()].flatMap((windows) =>
    [...windows].flatMap(([startMs, { report }]) => (report.payments_count > 0 ? [startMs] : [])),
  );
  return judgeSales(look, asked, soldInMs);
}

async function compareWithBaseline(
  env: ReadEnv,
  merchantId: string,
  alert: TakenAlert,
  rule: BelowBaselineRule,
  at: Pick<BaselineLook, "nowMs" | "countedMs">,
): Promise<LookedAt> {
  const currency = rule.currency ?? (rule.figure === "net" ? alert.currency : null);
  const look: BaselineLook = {
    alertId: alert.id,
    rule,
    zone: alert.timezone,
    currency,
    firingSinceMs: alert.firingSince,
    ...at,
  };
  if (rule.figure === "net" && currency === null) {
    return { check: { outcome: "unknown", reason: "no_currency" }, nextMs: nextBaselineLook(look) };
  }
  const elapsedMs = elapsedOf(look);
  const day = dayOf(look.zone, elapsedMs);
  const key = baselineKey({ currency }, look.zone, day.day);
  const whose: Whose = { merchantId, currencies: currency === null ? [] : [currency] };
  const known = alert.baseline?.key === key ? alert.baseline : undefined;
  const baseline = known ?? (await readBaseline(env, whose, key, day, look.nowMs));
  if (baseline === undefined) {
    return { check: { outcome: "unknown", reason: "late_events_pending" }, nextMs: nextBaselineLook(look) };
  }
  const today = await readToday(env, whose, { fromMs: day.fromMs, toMs: elapsedMs }, look.nowMs);
  const looked = judgeBaseline(look, day, baseline, today);
  return known === undefined ? { ...looked, baseline } : looked;
}

/** The starts of a span's windows. */
function windowsOf({ fromMs, toMs }: HistorySpan): number[] {
  return Array.from({ length: (toMs - fromMs) / WINDOW_MS }, (_, at) => fromMs + at * WINDOW_MS);
}

interface Whose {
  readonly merchantId: string;
  /** Empty for all. */
  readonly currencies: readonly string[];
}

/** `undefined` while windows of the four days wait to be counted anew, or it is not known whether any do: what is kept for the day must be all of it. */
async function readBaseline(env: ReadEnv, whose: Whose, key: string, day: ComparedDay, nowMs: number) {
  const spans = baseSpansOf(day);
  const boundsMs = spans.flatMap(windowsOf);
  const [buckets, late] = await Promise.all([
    queryHistory(env, { ...whose, spans, boundsMs }, nowMs),
    countLateWindows(env.DIRECTORY, whose.merchantId, spans),
  ]);
  if (late !== 0) return undefined;
  const sold = new Map<number, Sold>();
  for (const { startMs, report } of buckets) sold.set(startMs, plus(sold.get(startMs), report));
  return baselineOf(key, day, sold);
}

async function readToday(env: ReadEnv, whose: Whose, { fromMs, toMs }: HistorySpan, nowMs: number): Promise<Sold> {
  const { currencies } = await readRange(env, { ...whose, fromMs, toMs, boundsMs: [fromMs] }, nowMs);
  let sold: Sold = NOTHING;
  for (const buckets of currencies.values()) for (const { report } of buckets.values()) sold = plus(sold, report);
  return sold;
}

const NOTHING: Sold = { net: 0n, payments: 0 };

function plus({ net, payments }: Sold = NOTHING, report: Parameters<typeof figureOf>[0]): Sold {
  return { net: net + BigInt(figureOf(report, "net") ?? 0), payments: payments + report.payments_count };
}

/** Merchants share their zones, and days last: the last few that were needed. */
const days = new Map<string, ComparedDay>();
const DAYS_KEPT_MAX = 100;

function dayOf(zone: string, elapsedMs: number): ComparedDay {
  const name = `${zone}/${elapsedMs}`;
  const known = days.get(name);
  if (known !== undefined) return known;
  const day = comparedDay(zone, elapsedMs);
  if (days.size >= DAYS_KEPT_MAX) days.clear();
  days.set(name, day);
  return day;
}

function unknown(reason: UnknownReason, nowMs: number): LookedAt {
  return { check: { outcome: "unknown", reason }, nextMs: nowMs + UNKNOWN_LOOK_MS };
}
