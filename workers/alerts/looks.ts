import type { Check } from "./check.ts";

/** A look's finding, and when the next one makes sense: nothing can be otherwise before. */
export interface Looked {
  readonly check: Check;
  readonly nextMs: number;
}

/** No alert is looked at twice within this: less than the cron's minute, which does not come to the second, so that none misses every other run. */
export const LOOK_MS_MIN = 45_000;
/** Of what fires: its end is told within so long. */
export const FIRING_LOOK_MS = 105_000;
/** After a look that found nothing out, because somebody did not answer. */
export const UNKNOWN_LOOK_MS = 105_000;

/** A moment of each alert's own, `[0, withinMs)` later than all would be due: they are not all looked at in the same minute. */
export function spreadMs(alertId: string, withinMs: number): number {
  return Number.parseInt(alertId.slice(0, 8), 16) % withinMs;
}
