/** What is needed of a run to shorten it. */
export interface PrefixRun {
  readonly steps: number;
  readonly failure?: string;
  /** Steps made when it failed. */
  readonly failedAfter?: number;
}

/** Prefixes tried one by one from the shortest on, before that of the bisection is taken. */
const TRIED_FROM_BELOW_MAX = 60;

/**
 * The shortest prefix of a failing run that fails, too. Prefixes need not fail in order (what is lost at step 20 may be repaired by a crash
 * at 30), so bisection finds one whose next shorter does not fail, and a search from below what is shorter still, as far as it goes.
 */
export async function shortestFailingPrefix<R extends PrefixRun>(
  failing: R,
  run: (steps: number) => Promise<R>,
): Promise<R> {
  let shortest = failing;
  let passing = -1;
  let failingSteps = Math.min(failing.steps, (failing.failedAfter ?? failing.steps) + 1);
  if (failingSteps < failing.steps) {
    const cut = await run(failingSteps);
    if (cut.failure === undefined) failingSteps = failing.steps;
    else shortest = cut;
  }
  while (failingSteps - passing > 1) {
    const middle = Math.floor((passing + failingSteps) / 2);
    const tried = await run(middle);
    if (tried.failure === undefined) {
      passing = middle;
    } else {
      failingSteps = middle;
      shortest = tried;
    }
  }
  for (let steps = 0; steps < Math.min(failingSteps, TRIED_FROM_BELOW_MAX); steps++) {
    const tried = await run(steps);
    if (tried.failure !== undefined) return tried;
  }
  return shortest;
}
