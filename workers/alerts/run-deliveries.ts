import { endDeliveries, type TakenDelivery, takeDueDeliveries } from "../directory/alert-deliveries.ts";
import { log } from "../log.ts";
import { eachAtOnce } from "./pool.ts";
import { decideRetry } from "./retry-schedule.ts";
import { type Attempt, sendWebhook, type WebhookEnv } from "./send-webhook.ts";

/** Sends what is due: the outbox stands in the directory, so that a notice survives whatever becomes of a run. */

/** A run sends for so long at the most; the next one, a minute later, goes on. */
export const DELIVERING_MS_MAX = 45_000;
const DELIVERIES_PER_PAGE = 40;
/** Of both lanes together, of the calls that an invocation may make (`run-looks.ts`). */
export const DELIVERIES_PER_RUN_MAX = 2_000;
/** Longer than a page takes of which every receiver is waited for in vain. */
const LEASE_MS = 300_000;
/**
 * Six connections of a Worker may wait for an answer at a time. Receivers that have failed share two of them: those that do not answer hold up each other,
 * and nobody else.
 */
const LANES = [
  { isFailing: false, atOnce: 4 },
  { isFailing: true, atOnce: 2 },
] as const;

export interface DeliverEnv extends WebhookEnv {
  readonly DIRECTORY: D1Database;
}

export interface Delivered {
  readonly delivered: number;
  readonly failed: number;
}

/** At least once: killed after a receiver has a notice and before that is noted, it sends it again, under the same id. */
export async function deliverNotices(env: DeliverEnv, nowMs: () => number): Promise<Delivered> {
  const lanes = await Promise.all(LANES.map((lane) => runLane(env, lane, nowMs)));
  return {
    delivered: lanes.reduce((sum, { delivered }) => sum + delivered, 0),
    failed: lanes.reduce((sum, { failed }) => sum + failed, 0),
  };
}

async function runLane(
  env: DeliverEnv,
  { isFailing, atOnce }: (typeof LANES)[number],
  nowMs: () => number,
): Promise<Delivered> {
  const endMs = nowMs() + DELIVERING_MS_MAX;
  let [delivered, failed] = [0, 0];
  while (nowMs() < endMs && delivered + failed < DELIVERIES_PER_RUN_MAX / LANES.length) {
    const wish = { isFailing, leaseMs: LEASE_MS, limit: DELIVERIES_PER_PAGE };
    const page = await takeDueDeliveries(env.DIRECTORY, wish, nowMs());
    if (page.length === 0) break;
    const ended = await eachAtOnce(page, atOnce, async (taken) => {
      const attempt = await tryOnce(env, taken, nowMs());
      return decideRetry(taken, attempt, Math.random(), nowMs());
    });
    await endDeliveries(env.DIRECTORY, ended, nowMs());
    for (const { delivery, attempt, disabled } of ended) {
      if (attempt.ok) delivered += 1;
      else failed += 1;
      if (disabled !== null) log("warn", "an alert was disabled", { alert: delivery.alertId, disabled });
    }
  }
  return { delivered, failed };
}

/** A secret that cannot be opened is ours to mend, and no fault of the receiver: it is tried again like one, and logged. */
async function tryOnce(
  env: DeliverEnv,
  { id, alertId, body, receiver }: TakenDelivery,
  nowMs: number,
): Promise<Attempt> {
  try {
    return await sendWebhook(env, receiver, { id, body }, nowMs);
  } catch (error) {
    log("error", "a notice could not be sent", { alert: alertId, delivery: id, error });
    return { ok: false, status: null, failure: "it could not be signed" };
  }
}
