import { setTimeout as delay } from "node:timers/promises";

/** Resolves after `ms`, or as soon as `signal` fires: whoever waits looks at the signal next anyway. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
