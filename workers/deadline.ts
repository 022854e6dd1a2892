/** A moment after which nothing is waited for any more. */
export interface Deadline {
  readonly hasPassed: boolean;
  /** Resolved when it passes; never once it was cancelled. */
  readonly passing: Promise<undefined>;
  cancel(): void;
}

/** By a timer, not by the clock: that one may be set back meanwhile, and there would be more time than there is. */
export function startDeadline(timeoutMs: number): Deadline {
  const { promise: passing, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    deadline.hasPassed = true;
    resolve(undefined);
  }, timeoutMs);
  const deadline = { hasPassed: false, passing, cancel: () => clearTimeout(timer) };
  return deadline;
}
