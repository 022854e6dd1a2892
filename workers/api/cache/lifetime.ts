import { DAY_MS, GRACE_MS, HOUR_MS, isClosed, LATENESS_HORIZON_MS, WINDOW_MS } from "../../../shared/window.ts";

/** What an answer of final windows is kept for, unless they are corrected. */
export const FINAL_KEPT_MS = 28 * DAY_MS;
/** A window that was damaged in its shard may be counted anew for this long after it is final (`aggregate/compaction.ts`). */
const SETTLES_MS = 6 * HOUR_MS;
/** An answer is given this long without asking whether it is still right: what is counted or corrected may be missing from it that long. */
export const BELIEVED_MS = 500;
/** While what it is made of cannot be asked, an answer is given this long after its time, and says so. */
export const STALE_KEPT_MS = HOUR_MS;

export interface Lifetime {
  /** `open`: the span has a window that still fills. `final`: nothing but a correction changes it any more. */
  readonly kind: "open" | "provisional" | "final";
  /** Whatever happens, it is not given as fresh from then on. */
  readonly expiresMs: number;
}

/**
 * How long an answer holds whose windows end at `toMs`, as they were at `asOfMs`. Until the shard is asked again (`BELIEVED_MS`) and says that
 * nothing has changed, what is not final is believed; at the next tick its statuses change of themselves.
 */
export function lifetimeOf(toMs: number, asOfMs: number): Lifetime {
  if (asOfMs >= toMs + LATENESS_HORIZON_MS + SETTLES_MS) return { kind: "final", expiresMs: asOfMs + FINAL_KEPT_MS };
  const kind = isClosed(toMs - WINDOW_MS, asOfMs) ? "provisional" : "open";
  return { kind, expiresMs: nextTick(asOfMs) };
}

/** The next moment at which a window begins, ends, closes or becomes final. */
function nextTick(ms: number): number {
  const startMs = ms - (ms % WINDOW_MS);
  return ms < startMs + GRACE_MS ? startMs + GRACE_MS : startMs + WINDOW_MS;
}
