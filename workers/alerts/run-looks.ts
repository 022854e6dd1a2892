import type { ReadEnv } from "../api/read-range.ts";
import {
  countDue,
  countOverdue,
  type FoundAlert,
  type TakenAlert,
  takeDueAlerts,
  writeFound,
} from "../directory/alert-runs.ts";
import { log } from "../log.ts";
import { lookAt } from "./look.ts";
import { type Notice, noticeOf } from "./notice.ts";
import { holdOf, type Pipeline } from "./pipeline.ts";
import { eachAtOnce } from "./pool.ts";
import { type Decided, decideStanding } from "./standing.ts";

/**
 * A run looks at so many alerts at the most, in so long. An invocation may make 10,000 calls of others (Cloudflare Workers, "Limits"), each of which fails
 * beyond them, and a look makes up to seven: what is left is for the notices.
 */
export const ALERTS_PER_RUN_MAX = 1_000;
export const LOOKING_MS_MAX = 40_000;
/**
 * With more due than one run takes, others help, each an invocation of its own, with six connections: beyond this they would take ClickHouse for themselves
 * when a day begins. What is left is the next minute's.
 */
export const HELPERS_MAX = 9;
/** Taken, looked at and written together. */
const ALERTS_PER_PAGE = 200;
/** Reads wait for shards and ClickHouse; six connections of a Worker may wait at a time, and calls of objects are none. */
const LOOKS_AT_ONCE = 16;
/** A run that died leaves its page to others after this: longer than a page takes whose every look waits in vain. */
const LEASE_MS = 300_000;
/** Beyond this an alert is told late, and the log says so. */
const OVERDUE_MS = 300_000;

export interface Looks {
  readonly looked: number;
  readonly fired: number;
  readonly resolved: number;
  readonly unknown: number;
  readonly failed: number;
}

export interface LooksDone extends Looks {
  readonly overdue: number;
}

/** Whoever takes a part of a crowd, by its number from 0 on: `lookAtSome` in an invocation of its own. */
export type Helper = (number: number, pipeline: Pipeline) => Promise<Looks>;

const NONE: Looks = { looked: 0, fired: 0, resolved: 0, unknown: 0, failed: 0 };

/**
 * Looks at the alerts that are due, with as many helpers as it takes. Twice at once, or killed anywhere, nobody is told anything twice: see `writeFound`. A
 * helper that fails leaves its page to others when its lease ends.
 */
export async function lookAtAlerts(
  env: ReadEnv,
  readPipeline: () => Promise<Pipeline>,
  helper: Helper,
  nowMs: () => number,
): Promise<LooksDone> {
  const due = await countDue(env.DIRECTORY, nowMs(), ALERTS_PER_RUN_MAX * (1 + HELPERS_MAX));
  // Before the alerts are read: what the log had not brought then may have come since, and never the other way round.
  const pipeline = due === 0 ? undefined : await readPipeline();
  const helpers = Math.max(0, Math.ceil(due / ALERTS_PER_RUN_MAX) - 1);
  const parts =
    pipeline === undefined
      ? []
      : await Promise.all([
          lookAtSome(env, pipeline, nowMs),
          ...Array.from({ length: helpers }, (_, number) => helped(helper, number, pipeline)),
        ]);
  const sum = (name: keyof Looks) => parts.reduce((sum, part) => sum + part[name], 0);
  const overdue = await countOverdue(env.DIRECTORY, nowMs() - OVERDUE_MS);
  if (overdue > 0) log("warn", "alerts wait to be looked at", { overdue });
  return {
    looked: sum("looked"),
    fired: sum("fired"),
    resolved: sum("resolved"),
    unknown: sum("unknown"),
    failed: sum("failed"),
    overdue,
  };
}

async function helped(helper: Helper, number: number, pipeline: Pipeline): Promise<Looks> {
  try {
    return await helper(number, pipeline);
  } catch (error) {
    log("error", "a part of the alerts could not be looked at", { number, error });
    return NONE;
  }
}

/** Looks at as many of the alerts that are due as one invocation may. */
export async function lookAtSome(env: ReadEnv, pipeline: Pipeline, nowMs: () => number): Promise<Looks> {
  const lease = crypto.randomUUID();
  const endMs = nowMs() + LOOKING_MS_MAX;
  const done = { ...NONE } as { -readonly [name in keyof Looks]: number };
  while (done.looked < ALERTS_PER_RUN_MAX && nowMs() < endMs) {
    const atMs = nowMs();
    const page = await takeDueAlerts(env.DIRECTORY, { lease, leaseMs: LEASE_MS, limit: ALERTS_PER_PAGE }, atMs);
    if (page.length === 0) break;
    const found = await eachAtOnce(page, LOOKS_AT_ONCE, (alert) => find(env, alert, pipeline, atMs));
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
  return done;
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
