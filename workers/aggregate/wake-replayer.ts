import { nextErasure } from "../directory/erasures.ts";
import { nextReplay } from "../directory/replays.ts";
import type { Env } from "./env.ts";
import { nextLateWindowMs } from "./late-windows.ts";
import { REPLAYER } from "./replayer-name.ts";

/**
 * Has the Replayer begin when a replay, an erasure or a late window waits. Whoever notes one wakes it, too, and may die in between; nothing else would
 * then begin with it.
 */
export async function wakeReplayer(env: Env, nowMs: number): Promise<{ readonly isWoken: boolean }> {
  const isBusy =
    (await nextReplay(env.DIRECTORY)) !== undefined || (await nextErasure(env.DIRECTORY, nowMs)) !== undefined;
  const lateMs = isBusy ? undefined : await nextLateWindowMs(env.DIRECTORY);
  const isWoken = isBusy || (lateMs !== undefined && lateMs <= nowMs);
  if (isWoken) await env.REPLAYER.get(env.REPLAYER.idFromName(REPLAYER)).begin();
  return { isWoken };
}
