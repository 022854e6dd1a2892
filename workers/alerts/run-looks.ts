import type { ReadEnv } from "../api/read-range.ts";
import { countOverdue, type FoundAlert, type TakenAlert, takeDueAlerts, writeFound } from "../directory/alert-runs.ts";
import { log } from "../log.ts";
import { lookAt } from "./look.ts";
import { type Notice, noticeOf } from "./notice.ts";
import { holdOf, type Pipeline } from "./pipeline.ts";
import { eachAtOnce } from "./pool.ts";
import { type Decided, decideStanding } from "./standing.ts";

/** A run looks at so many alerts at the most, in so long: the next one, a minute later, goes on with those that wait. */
export const ALERTS_PER_RUN_MAX = 20_000;
export const LOOKING_MS_MAX = 40_000;
/** Taken, looked at and written together. */
const ALERTS_PER_PAGE = 200;
/** Reads wait for shards and ClickHouse; six connections of a Worker may wait at a time, and calls of objects are none. */
const LOOKS_AT_ONCE = 16;
/** A run that died leaves its page to others after this: longer than a page takes whose every look waits in vain. */
const LEASE_MS = 300_000;
/** Beyond this an alert is told late, and the log says so. */
const OVERDUE_MS = 300_000;

export interface LooksDone {
  readonly looked: number;
  readonly fired: number;
  readonly resolved: number;
  readonly unknown: number;
  readonly failed: number;
  readonly overdue: number;
}

/** Looks at the alerts that are due. Twice at once, or killed anywhere, nobody is told anything twice: see `writeFound`. */
export async function lookAtAlerts(
  env: ReadEnv,
  readPipeline: () => Promise<Pipeline>,
  nowMs: () => number,
): Promise<LooksDone> {
  const lease = crypto.randomUUID();
  const endMs = nowMs() + LOOKING_MS_MAX;
  const done = { looked: 0, fired: 0, resolved: 0, unknown: 0, failed: 0 };
  let pipeline: Pipeline | undefined;
  while (done.looked < ALERTS_PER_RUN_MAX && nowMs() < endMs) {
    const atMs = nowMs();
    const page = await takeDueAlerts(env.DIRECTORY, { lease, leaseMs: LEASE_MS, limit: ALERTS_PER_PAGE }, atMs);
    if (page.length === 0) break;
    // Before the alerts are read: what the log had not brought then may have come since, and never the other way round.
    pipeline ??= await readPipeline();
    const state = pipeline;
    const found = await eachAtOnce(page, LOOKS_AT_ONCE, (alert) => find(env, alert, state, atMs));
    await writeFound(
      env.DIRECTORY,
      lease,
      found.flatMap((one) => one ?? []),
      atMs,
    );
    done.looked += page.length;
    done.failed += found.filter((one) => one === undefined).length;
    done.unknown += found.filter((one) => one?.check.outcome === "unknown").length;
    done.fired += found.filter((one) => one?.notice?.type === "alert.fired").length;
    done.resolved += found.filter((one) => one?.notice?.type === "alert.resolved").length;
  }
  const overdue = await countOverdue(env.DIRECTORY, nowMs() - OVERDUE_MS);
  if (overdue > 0) log("warn", "alerts wait to be looked at", { overdue });
  return { ...done, overdue };
}

/** `undefined` for one whose look is a bug: it is left to its lease, and holds up no other. */
async function find(
  env: ReadEnv,
  alert: TakenAlert,
  pipeline: Pipeline,
  nowMs: number,
): Promise<FoundAlert | undefined> {
  try {
    const { check, nextMs, baseline } = await lookAt(env, alert, pipeline, nowMs);
    const rules = { ...holdOf(alert.rule), remindEveryMs: alert.remindEveryMs };
    const { standing, told } = decideStanding(alert, check, rules, nowMs);
    const { firingSince, remindedAt, contradictedSince } = standing;
    return {
      id: alert.id,
      standing: { firingSince, remindedAt, contradictedSince },
      check,
      nextMs,
      baseline,
      notice: told === undefined ? undefined : noticeFor(alert, check, told, nowMs),
    };
  } catch (error) {
    log("error", "an alert could not be looked at", { alert: alert.id, error });
    return undefined;
  }
}

function noticeFor(
  alert: TakenAlert,
  check: FoundAlert["check"],
  { type, firedMs }: NonNullable<Decided["told"]>,
  nowMs: number,
): Notice | undefined {
  if (check.outcome === "unknown") return undefined;
  const { reason, facts } = check;
  return noticeOf(type, { alert, kind: alert.rule.kind, firedMs, reason, facts }, nowMs);
}
