/**
 * The Worker's clock, ahead of the real one by as much as the benchmark says: three windows open, fill and close within minutes. Every
 * clock the Workers read is `Date.now`, which is replaced when this module is loaded; timers and queues go on in real time.
 */
const realNow = Date.now;
let aheadMs = 0;

Date.now = () => realNow() + aheadMs;

export function setClockAhead(ms: number): void {
  aheadMs = ms;
}

/** The real moment at which this clock shows `ms`. */
export function realTime(ms: number): number {
  return ms - aheadMs;
}

export function shownTime(realMs: number): number {
  return realMs + aheadMs;
}
