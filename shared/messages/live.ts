import { z } from "zod";
import { err, ok, type Result } from "../result.ts";
import { WINDOW_MS, windowStart } from "../window.ts";
import { fromRow, type MerchantWindow, toRow } from "../window-row.ts";

/**
 * What a shard tells those who listen to a merchant, over a WebSocket: absolute state, so that any message may be dropped for a later
 * one. It never leaves Tally, and both ends are of one deployment or of two that follow one another.
 */
export interface LiveMessage {
  /** By the shard's clock. */
  readonly asOfMs: number;
  /** Windows that changed, whole, every currency that has any of them; in the first message all that are recent. */
  readonly windows: readonly MerchantWindow[];
  /** Older windows have changed too: what was read of them is to be read again. */
  readonly corrected: boolean;
}

const VERSION = 1;

const schema = z.object({
  v: z.literal(VERSION),
  as_of: z.int(),
  windows: z.array(z.unknown()),
  corrected: z.boolean(),
});

export function encodeLiveMessage({ asOfMs, windows, corrected }: LiveMessage): string {
  return JSON.stringify({ v: VERSION, as_of: asOfMs, windows: windows.map(toRow), corrected });
}

export function decodeLiveMessage(text: string): Result<LiveMessage, { readonly reason: "not_a_live_message" }> {
  try {
    const { as_of: asOfMs, windows, corrected } = schema.parse(JSON.parse(text));
    return ok({ asOfMs, windows: windows.map(fromRow), corrected });
  } catch {
    return err({ reason: "not_a_live_message" });
  }
}

/** Sent now and then by who listens, and answered by the runtime, for which a shard that hibernates is not woken. */
export const LIVE_PING = "ping";
export const LIVE_PONG = "pong";
export const LIVE_PING_INTERVAL_MS = 60_000;

/** The path by which a shard is subscribed to: the merchant is its parameter. */
export const LIVE_PATH = "/live";

/** Windows that began so long ago are told of whole; of older ones only that they changed. */
export const LIVE_RECENT_MS = 2 * WINDOW_MS;

/** The first window that listeners are told of whole. */
export function liveFromMs(nowMs: number): number {
  return windowStart(nowMs - LIVE_RECENT_MS);
}
