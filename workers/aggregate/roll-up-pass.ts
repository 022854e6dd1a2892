import { z } from "zod";
import { rolledUpDaysThrough } from "../../shared/window.ts";

/** An insert is in history this long after it began, or has failed: the consumer waits for 30 s. */
export const CHANGES_SETTLE_MS = 600_000;

/** One merchant's day of UTC, `2026-11-26`. */
export interface MerchantDay {
  readonly merchantId: string;
  readonly day: string;
}

/** All before every merchant, in the order of merchant and day. */
export const BEFORE_ALL: MerchantDay = { merchantId: "", day: "1970-01-01" };

/** Up to where changes are worked off. */
interface Reach {
  /** Days that end by then are rolled up. A multiple of a day. */
  readonly finalToMs: number;
  /** So are the changes of those days that began by then. */
  readonly changedToMs: number;
}

/** One walk over the changes, from `done` to `goal`, merchant by merchant. */
export interface Pass {
  readonly done: Reach;
  readonly goal: Reach;
  /** Done of this pass; whatever is saved of a pass is true, so that an older position costs work and nothing else. */
  readonly after: MerchantDay;
}

const reachSchema = z.object({ finalToMs: z.int().min(0), changedToMs: z.int().min(0) });
export const passSchema = z.object({
  done: reachSchema,
  goal: reachSchema,
  after: z.object({ merchantId: z.string(), day: z.iso.date() }),
});

/**
 * The pass to go on with: the one that was begun, or the next. A day is rolled up once, when all its windows are final and stored, and again
 * when one of them changes after that; until then reads take its windows, of which there are few.
 */
export function passToGoOn(saved: Pass | undefined, nowMs: number): Pass {
  if (saved !== undefined && !isComplete(saved)) return saved;
  const done = saved?.goal ?? { finalToMs: 0, changedToMs: 0 };
  const goal = {
    finalToMs: Math.max(done.finalToMs, rolledUpDaysThrough(nowMs)),
    changedToMs: Math.max(done.changedToMs, nowMs - CHANGES_SETTLE_MS),
  };
  return { done, goal, after: BEFORE_ALL };
}

/** After the last change of a pass: nothing comes later in the order of merchants. */
const AFTER_ALL: MerchantDay = { merchantId: "\u{10ffff}", day: "2149-06-06" };

export function completed(pass: Pass): Pass {
  return { ...pass, after: AFTER_ALL };
}

export function isComplete({ after }: Pass): boolean {
  return after.merchantId === AFTER_ALL.merchantId;
}
