import { DAY_MS } from "../../shared/window.ts";
import { type Stretch, stretches } from "./zone.ts";

/**
 * What a zone's clock has shown, to compare spans by. It runs on in order, as people read it: through an hour that it repeats it has shown the end
 * of that hour already, and a time that it skips it reaches together with the next. Local times are milliseconds as if they were UTC.
 */
export interface WallClock {
  /** The latest time that it has shown until a moment; where it jumps ahead, that before the jump. */
  readonly shownUntil: (ms: number) => number;
  /** The same of a moment that begins something; where the clock jumps ahead, the time after the jump. */
  readonly shownFrom: (ms: number) => number;
  /** The first moment at which it has shown a time. */
  readonly reached: (localMs: number) => number;
}

/** No zone's clock is further from UTC, and none has jumped further. */
const OFFSET_MS_MAX = 2 * DAY_MS;

/** For moments of `[fromMs, toMs]` and local times that it shows then. */
export function wallClock(zone: string, fromMs: number, toMs: number): WallClock {
  const even = stretches(zone, fromMs - OFFSET_MS_MAX, toMs + OFFSET_MS_MAX);
  const shownUntil = (ms: number) =>
    even.reduce(
      (latest, { startMs, endMs, offsetMs }) =>
        startMs < ms ? Math.max(latest, Math.min(endMs, ms) + offsetMs) : latest,
      Number.NEGATIVE_INFINITY,
    );
  return {
    shownUntil,
    shownFrom: (ms) => Math.max(shownUntil(ms), ms + stretchAt(even, ms).offsetMs),
    reached: (localMs) => {
      for (const { startMs, endMs, offsetMs } of even) {
        const atMs = Math.max(startMs, localMs - offsetMs);
        if (atMs < endMs) return atMs;
      }
      throw new RangeError(`${zone} does not show ${localMs} within what was asked for`);
    },
  };
}

function stretchAt(even: readonly Stretch[], ms: number): Stretch {
  const found = even.find(({ endMs }) => ms < endMs) ?? even.at(-1);
  if (found === undefined) throw new RangeError(`no clock for ${ms}`);
  return found;
}
