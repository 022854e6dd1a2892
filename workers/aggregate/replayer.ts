import { DurableObject } from "cloudflare:workers";
import { log } from "../log.ts";
import { type Env, settingsOf } from "./env.ts";
import { nextLateWindowMs } from "./late-windows.ts";
import { rebuildLate } from "./rebuild-late.ts";

/** Passes begin within this, of the 15 minutes an alarm may take (Cloudflare Durable Objects, "Limits"). */
const ALARM_BUDGET_MS = 5 * 60_000;
/** After a pass that failed, because ClickHouse or the archive cannot be asked. */
const FAILURE_RETRY_MS = 30_000;

/** Counts windows anew from the archive, one pass after another, by an alarm. What there is to do stands in the directory. */
export class Replayer extends DurableObject<Env> {
  /** There is something to do. Late events come in crowds: the first one waits `LATE_DELAY_MS` for the others of its windows. */
  async wake(): Promise<void> {
    await this.#ring(Date.now() + settingsOf(this.env).LATE_DELAY_MS);
  }

  override async alarm(): Promise<void> {
    const endMs = Date.now() + ALARM_BUDGET_MS;
    try {
      while (Date.now() < endMs && (await rebuildLate(this.env, Date.now())) !== undefined);
      const nextMs = await nextLateWindowMs(this.env.DIRECTORY);
      if (nextMs !== undefined) await this.#ring(Math.max(nextMs, Date.now() + 1));
    } catch (error) {
      log("error", "replay failed", { error });
      await this.#ring(Date.now() + FAILURE_RETRY_MS);
    }
  }

  /** Not later than an alarm that is set already. */
  async #ring(atMs: number): Promise<void> {
    const setMs = await this.ctx.storage.getAlarm();
    if (setMs === null || setMs > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}
