import { DurableObject } from "cloudflare:workers";
import type { Pipeline } from "../alerts/pipeline.ts";
import { type Looks, lookAtSome } from "../alerts/run-looks.ts";
import { nextReplay } from "../directory/replays.ts";
import { log } from "../log.ts";
import { advanceCompaction, isCompactionDue } from "./compaction.ts";
import { type Env, settingsOf } from "./env.ts";
import { erasePass, isErasureDue } from "./erasure.ts";
import { nextLateWindowMs } from "./late-windows.ts";
import { rebuildLate } from "./rebuild-late.ts";
import { advanceReplays } from "./replay.ts";

/** Passes begin within this, of the 15 minutes an alarm may take (Cloudflare Durable Objects, "Limits"). */
const ALARM_BUDGET_MS = 5 * 60_000;
/** Passes of compaction in one alarm, a dozen calls each, of the 1,000 that an invocation may make (Cloudflare Workers, "Limits"). */
const ALARM_COMPACTIONS_MAX = 50;
/** After a pass that failed, because ClickHouse or the archive cannot be asked. */
const FAILURE_RETRY_MS = 30_000;

/**
 * Counts windows anew from the archive, takes users out of it, and compacts it, one pass after another, by an alarm. What there is to do stands in the
 * directory. As one object does all of it, no object of the archive is removed between being listed and being read.
 */
export class Replayer extends DurableObject<Env> {
  #lastMs = 0;

  /** There is something to do. Late events come in crowds: the first one waits `LATE_DELAY_MS` for the others of its windows. */
  async wake(): Promise<void> {
    await this.#ring(Date.now() + settingsOf(this.env).LATE_DELAY_MS);
  }

  /** A replay was asked for, or the cron has found something that waits: it is begun at once. */
  async begin(): Promise<void> {
    await this.#ring(Date.now());
  }

  /** Helps the cron of alerts, in an object that does nothing else. */
  async lookAtAlerts(pipeline: Pipeline): Promise<Looks> {
    return await lookAtSome(this.env, pipeline, Date.now);
  }

  override async alarm(): Promise<void> {
    const endMs = Date.now() + ALARM_BUDGET_MS;
    let isMore = true;
    let isFailed = false;
    let compactions = 0;
    // One that fails ends it for this alarm, and keeps replays from nothing: its hour is put off.
    const compact = async () => {
      if (compactions >= ALARM_COMPACTIONS_MAX) return;
      compactions += 1;
      const isCompacted = await this.#attempt("hour not compacted", async () => {
        const isDone = await advanceCompaction(this.env, this.#moment());
        if (!isDone) compactions = ALARM_COMPACTIONS_MAX;
        isMore ||= isDone;
      });
      if (!isCompacted) compactions = ALARM_COMPACTIONS_MAX;
    };
    // What is late comes first, and again between the passes of a replay that may take hours. What fails holds back nothing else.
    while (isMore && !isFailed && Date.now() < endMs) {
      isMore = false;
      const isRebuilt = await this.#attempt("late windows not rebuilt", () => this.#rebuildLate(endMs));
      const isReplayed = await this.#attempt("replay failed", async () => {
        isMore = await advanceReplays(this.env, this.#moment());
      });
      isFailed = !isRebuilt || !isReplayed;
      // One that fails is put off by itself.
      await this.#attempt("users not erased", async () => {
        const isErasing = await erasePass(this.env, this.#moment());
        isMore ||= isErasing;
      });
      await compact();
    }
    await this.#ringForNext(isFailed);
  }

  /** All that is due. */
  async #rebuildLate(endMs: number): Promise<void> {
    while (Date.now() < endMs && (await rebuildLate(this.env, this.#moment())) !== undefined);
  }

  async #ringForNext(isFailed: boolean): Promise<void> {
    const nowMs = Date.now();
    if (isFailed) return await this.#ring(nowMs + FAILURE_RETRY_MS);
    const isRead = await this.#attempt("directory away", async () => {
      const isReplaying = (await nextReplay(this.env.DIRECTORY)) !== undefined;
      const isBusy = isReplaying || (await isErasureDue(this.env, nowMs)) || (await isCompactionDue(this.env, nowMs));
      const nextMs = isBusy ? 0 : await nextLateWindowMs(this.env.DIRECTORY);
      if (nextMs !== undefined) await this.#ring(Math.max(nextMs, nowMs + 1));
    });
    if (!isRead) await this.#ring(nowMs + FAILURE_RETRY_MS);
  }

  /** False, and in the log, when it fails. */
  async #attempt(failure: string, task: () => Promise<void>): Promise<boolean> {
    try {
      await task();
      return true;
    } catch (error) {
      log("error", failure, { error });
      return false;
    }
  }

  /** The revision of a pass: that of no other one. */
  #moment(): number {
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
    return this.#lastMs;
  }

  /** Not later than an alarm that is set already. */
  async #ring(atMs: number): Promise<void> {
    const setMs = await this.ctx.storage.getAlarm();
    if (setMs === null || setMs > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}
