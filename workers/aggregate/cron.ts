import { pruneLog } from "../directory/admin-log.ts";
import { forgetCorrections } from "../directory/corrections.ts";
import { log } from "../log.ts";
import { keepAlerts } from "./alert-cron.ts";
import { audit } from "./audit.ts";
import { compaction } from "./compaction.ts";
import type { Env } from "./env.ts";
import { forgetPast } from "./retention.ts";
import { rollUp } from "./roll-up.ts";
import { wakeReplayer } from "./wake-replayer.ts";

interface CronTask {
  readonly name: string;
  /** May end with its work unfinished: the next cron, ten minutes later, goes on with it. What it returns is logged. */
  readonly run: (env: Env) => Promise<unknown>;
}

/** What is done every ten minutes, one after the other. */
const TASKS: readonly CronTask[] = [
  { name: "audit", run: (env) => audit(env, Date.now()) },
  { name: "replayer", run: (env) => wakeReplayer(env, Date.now()) },
  { name: "compaction", run: (env) => compaction(env, Date.now()) },
  { name: "admin log", run: async ({ DIRECTORY }) => ({ pruned: await pruneLog(DIRECTORY, Date.now()) }) },
  { name: "roll-up", run: (env) => rollUp(env) },
  { name: "retention", run: (env) => forgetPast(env, Date.now()) },
  { name: "corrections", run: (env) => forgetCorrections(env.DIRECTORY, Date.now()) },
  { name: "alerts", run: (env) => keepAlerts(env, Date.now()) },
];

/** Runs all of them; one that fails holds back none after it, and is tried again by the next cron. */
export async function runCron(env: Env): Promise<void> {
  for (const { name, run } of TASKS) {
    try {
      log("info", "cron task done", { task: name, outcome: await run(env) });
    } catch (error) {
      log("error", "cron task failed", { task: name, error });
    }
  }
}
