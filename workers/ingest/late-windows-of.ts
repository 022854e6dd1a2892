import type { EventBatch } from "../../shared/event-batch.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { windowStart } from "../../shared/window.ts";

export interface LateWindowOf {
  readonly merchantId: string;
  readonly startMs: number;
}

/** The windows of events that came too late, by what the shards said of each: so many at the most, each once. */
export function lateWindowsOf(
  batch: Pick<EventBatch, "merchantId" | "occurredAt">,
  statuses: Uint8Array,
  windowsMax: number,
): LateWindowOf[] {
  const windows = new Map<string, LateWindowOf>();
  for (
    let i = statuses.indexOf(STATUS.late);
    i >= 0 && windows.size < windowsMax;
    i = statuses.indexOf(STATUS.late, i + 1)
  ) {
    const window = { merchantId: batch.merchantId(i), startMs: windowStart(batch.occurredAt(i)) };
    windows.set(`${window.startMs} ${window.merchantId}`, window);
  }
  return [...windows.values()];
}
