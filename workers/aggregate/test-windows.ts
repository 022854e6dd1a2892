import type { MerchantWindow } from "../../shared/window-row.ts";
import type { ShardState } from "./engine.ts";
import { windowsOfMerchant } from "./reading.ts";

/** All windows a state has of a merchant in `[fromMs, toMs)`, in order of start and currency. For tests. */
export function readWindows(state: ShardState, merchantId: string, fromMs: number, toMs: number): MerchantWindow[] {
  const slices = [...state.slices.values()].filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
  slices.sort((a, b) => a.startMs - b.startMs);
  return windowsOfMerchant(slices, merchantId);
}
