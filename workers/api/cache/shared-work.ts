/** A request that waits for others' work does it itself after this: they may have been ended in the middle of it. */
export const SHARED_WAIT_MS_MAX = 10_000;

/** Whoever did the work has left: no failure of it, and nothing that another's request could do nothing about. */
export class Abandoned extends Error {}

/**
 * Work that several requests of an isolate want at the same time is done by the first of them. A failure is told to those who waited and to
 * nobody else; work that is abandoned is begun anew by one of those who waited. `keepAlive` has to see to it that the work goes on when its request does not (`ExecutionContext.waitUntil`).
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Promise<T>>();

  async run(
    key: string,
    work: () => Promise<T>,
    keepAlive: (work: Promise<unknown>) => void,
    waitMs = SHARED_WAIT_MS_MAX,
  ): Promise<{ readonly outcome: T; readonly isOwn: boolean }> {
    const running = this.#running.get(key);
    if (running !== undefined) {
      const sinceMs = Date.now();
      const shared = await withinTime(running, waitMs).catch((error: unknown) => {
        if (!(error instanceof Abandoned)) throw error;
        return "abandoned" as const;
      });
      if (shared === "abandoned") {
        return await this.run(key, work, keepAlive, waitMs - (Date.now() - sinceMs));
      }
      return shared === undefined ? { outcome: await work(), isOwn: true } : { outcome: shared.value, isOwn: false };
    }
    const own = work().finally(() => {
      if (this.#running.get(key) === own) this.#running.delete(key);
    });
    this.#running.set(key, own);
    keepAlive(own.catch(() => {}));
    return { outcome: await own, isOwn: true };
  }
}

/** `undefined` when it takes longer. */
async function withinTime<T>(promise: Promise<T>, ms: number): Promise<{ readonly value: T } | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([promise.then((value) => ({ value })), late]);
  } finally {
    clearTimeout(timer);
  }
}
