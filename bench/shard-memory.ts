import { decodeShardBatch } from "../shared/messages/shard-batch.ts";
import { WINDOW_MS, windowStart } from "../shared/window.ts";
import { emptyState, fold } from "../workers/aggregate/engine.ts";
import { smallWindowBatches } from "./shard-load.ts";

/**
 * Run with `--expose-gc`, in a process of its own: folds 200,000 windows of one to five events and prints what the state takes, all of the
 * heap and of the array buffers that is left after a collection.
 */
const windows = Number(process.argv[2]);
const seed = process.argv[3] ?? "1";
const startMs = windowStart(Date.UTC(2026, 10, 24));

const state = emptyState();
let events = 0;
let atMs = startMs + WINDOW_MS;
const before = bytesInUse();
for (const batch of smallWindowBatches({ seed, windows, batchEvents: 1_000 }, startMs)) {
  const decoded = decodeShardBatch(batch.bytes);
  if (!decoded.ok) throw new Error(decoded.error.reason);
  fold(state, decoded.value, ++atMs);
  events += batch.events;
}
const bytes = bytesInUse() - before;
const held = [...state.slices.values()].reduce((sum, slice) => sum + slice.changes(-1), 0);
console.log(JSON.stringify({ bytes, windows: held, events }));

function bytesInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
