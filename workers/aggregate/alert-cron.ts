import { DAY_MS } from "../../shared/window.ts";
import type { Pipeline } from "../alerts/pipeline.ts";
import { pipelineOf } from "../alerts/pipeline-of.ts";
import { deliverNotices } from "../alerts/run-deliveries.ts";
import { type Helper, lookAtAlerts } from "../alerts/run-looks.ts";
import { forgetDeliveries } from "../directory/alert-deliveries.ts";
import { resealSecrets } from "../directory/alert-secrets.ts";
import { recentFindings } from "../directory/recent-findings.ts";
import { lookAtHealth } from "../health/read-health.ts";
import { log } from "../log.ts";
import type { Env } from "./env.ts";

/** As in wrangler.toml: which of the crons this is for. */
export const ALERT_CRON = "* * * * *";

/** Notices that are done are shown for so long. */
const DELIVERIES_KEPT_MS = 30 * DAY_MS;
/** What one run forgets; more is the next one's. */
const FORGOTTEN_MAX = 10_000;

/** Once a minute: looks at the alerts that are due, then sends what is. The one that fails holds back neither the other nor the next run. */
export async function runAlertCron(env: Env): Promise<void> {
  if ((env.ALERT_KEY ?? "") === "") return log("info", "no alerts", { reason: "no ALERT_KEY" });
  const tasks = [
    ["looks at alerts", () => lookAtAlerts(env, () => readPipeline(env, Date.now()), helperOf(env), Date.now)],
    ["notices", () => deliverNotices(env, Date.now)],
  ] as const;
  for (const [task, run] of tasks) {
    try {
      log("info", "cron task done", { task, outcome: await run() });
    } catch (error) {
      log("error", "cron task failed", { task, error });
    }
  }
}

/** Objects of their own, beside the one that counts anew: each call is an invocation, with connections and calls of its own. */
const helperOf =
  ({ REPLAYER }: Env): Helper =>
  async (number, pipeline) =>
    await REPLAYER.get(REPLAYER.idFromName(`alerts-${number}`)).lookAtAlerts(pipeline);

async function readPipeline(env: Env, nowMs: number): Promise<Pipeline> {
  const [{ health }, findings] = await Promise.all([lookAtHealth(env, nowMs), recentFindings(env.DIRECTORY, nowMs)]);
  return pipelineOf(health, findings);
}

/** What alerts leave to the cron that comes every ten minutes. */
export async function keepAlerts(
  env: Env,
  nowMs: number,
): Promise<{ readonly forgotten: number; readonly resealed: number }> {
  const forgotten = await forgetDeliveries(env.DIRECTORY, nowMs - DELIVERIES_KEPT_MS, FORGOTTEN_MAX);
  return { forgotten, resealed: await resealSecrets(env) };
}
