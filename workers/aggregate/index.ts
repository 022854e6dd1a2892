import { isolateMeter } from "../meter/isolate-meter.ts";
import { ALERT_CRON, runAlertCron } from "./alert-cron.ts";
import { runCron } from "./cron.ts";
import { consumeDead } from "./dead-letters.ts";
import type { Env } from "./env.ts";
import { meterArrival } from "./metered-queue.ts";
import { consumeRaw } from "./raw-consumer.ts";
import { consumeWindows } from "./windows-consumer.ts";

export { Meter } from "./meter.ts";
export { Replayer } from "./replayer.ts";
export { Shard } from "./shard.ts";

/** Has no public route: its shards are called by ingest and api, the rest of it by queues and a cron. */
export default {
  async queue(batch, env) {
    meterArrival(batch, Date.now());
    try {
      await consume(batch, env);
    } finally {
      // Not left for later: the platform takes a batch for being worked on until nothing is.
      await isolateMeter.flush(env);
    }
  },

  async scheduled({ cron }, env) {
    await (cron === ALERT_CRON ? runAlertCron(env) : runCron(env));
  },
} satisfies ExportedHandler<Env>;

async function consume(batch: MessageBatch, env: Env): Promise<void> {
  switch (batch.queue) {
    case "tally-raw":
      return await consumeRaw(batch, env);
    case "tally-windows":
      return await consumeWindows(batch, env);
    case "tally-raw-dead":
    case "tally-windows-dead":
      return await consumeDead(batch, env);
    default:
      throw new Error(`no consumer for ${batch.queue}`);
  }
}
