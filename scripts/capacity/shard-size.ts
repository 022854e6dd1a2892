import { SHARDS_MAX } from "../../shared/topology.ts";
import { SHARD_BYTES_MAX } from "../../workers/aggregate/residency.ts";
import { type Calls, callsOf } from "./calls.ts";
import type { Flow } from "./flow.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import type { Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";
import type { Reaches } from "./reach.ts";

export interface ShardSize {
  readonly items: readonly Item[];
  readonly shards: number;
}

const OURS = { source: "npm run capacity -- --help" };
/** An identity in a page: without the free slots it has in memory. */
export const ID_PAGE_BYTES = 12;
/** A window of more than 16 events in a page, as measured: 150 events each. */
const GROWN_PAGE_BYTES = 1_900;
/** A page is kept until its window is final and the margin has passed: 24 h 40 min. */
const WINDOWS_STORED = 148;

/** How many shards it takes, and what one of them holds. */
export function shardSizeOf(o: CapacityOptions, load: Load, flow: Flow, reaches: Reaches): ShardSize {
  const windowBytes = tableBytesPeak(o, load) * o["counter-windows"];
  const idBytes = load.eventsPerWindowPeak * o["id-bytes"] * o["id-windows"];
  const budget = o["shard-memory-mb"] * 1e6;
  const forMemory = Math.max(1, Math.ceil((windowBytes + idBytes) / budget));
  const forCalls = shardsForCalls(o, load, flow, reaches);
  const shards = o.shards ?? Math.min(SHARDS_MAX, Math.max(forMemory, forCalls));
  const figure = figuresOf("shards");
  const items = [
    figure(
      "memory_of_windows",
      windowBytes,
      "bytes, all shards",
      `(${n(load.activeMerchantsPeak - load.grownPeak)} small × ${n(o["window-bytes"])} + ${n(load.grownPeak)} grown × ${n(o["grown-window-bytes"])}) × ${n(o["counter-windows"])}`,
    ),
    figure(
      "memory_of_identities",
      idBytes,
      "bytes, all shards",
      `${n(load.eventsPerWindowPeak)} events × ${n(o["id-bytes"])} × ${n(o["id-windows"])}`,
    ),
    figure(
      "shards_for_memory",
      forMemory,
      "shards",
      `max(1, ceil((${n(windowBytes)} + ${n(idBytes)}) / ${n(budget)}))`,
    ),
    figure(
      "shards_for_calls",
      forCalls,
      "shards",
      `fewest with calls/s ≤ ${n(LIMITS.objectRequests.value * o["shard-busy"])} and busy ≤ ${n(o["shard-busy"])}`,
    ),
    figure(
      "shards",
      shards,
      "shards",
      o.shards === undefined ? `max(${n(forMemory)}, ${n(forCalls)})` : "as --shards says",
    ),
    ...oneShard(o, load, shards, windowBytes, idBytes),
    ...business(o, load, shards, callsOf(o, load, flow, reaches, shards)),
  ];
  return { items, shards };
}

/** The fewest that keep a shard within its calls and its thread. Both only fall with more shards. */
function shardsForCalls(o: CapacityOptions, load: Load, flow: Flow, reaches: Reaches): number {
  const suffices = (shards: number) => {
    const { perSecondPeak, busyPeak } = callsOf(o, load, flow, reaches, shards);
    return perSecondPeak <= LIMITS.objectRequests.value * o["shard-busy"] && busyPeak <= o["shard-busy"];
  };
  let low = 1;
  let high = SHARDS_MAX;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (suffices(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function oneShard(o: CapacityOptions, load: Load, shards: number, windowBytes: number, idBytes: number): Item[] {
  const figure = figuresOf("shards");
  const memory = (windowBytes + idBytes) / shards;
  const windows = load.activeMerchantsPeak / shards;
  const largest = load.largestShare * idBytes;
  const sliceBytes = sliceBytesOf(o, load, shards);
  return [
    within(
      figure("memory", memory, "bytes a shard", `(${n(windowBytes)} + ${n(idBytes)}) / ${n(shards)}`),
      o["shard-memory-mb"] * 1e6,
      { of: "--shard-memory-mb", ...OURS },
      "more shards (--shards), or fewer windows in memory (--id-windows, --counter-windows)",
    ),
    within(
      figure(
        "memory_while_sending",
        memory + windows * o["window-row-bytes"] + o["message-rows"] * o["emission-row-bytes"],
        "bytes a shard",
        `${n(memory)} + ${n(windows)} windows × ${n(o["window-row-bytes"])} + ${n(o["message-rows"])} × ${n(o["emission-row-bytes"])}`,
      ),
      LIMITS.objectMemory.value,
      LIMITS.objectMemory,
      "more shards (--shards), or smaller messages (--message-rows)",
    ),
    within(
      figure(
        "memory_with_largest_merchant",
        memory + largest,
        "bytes, its shard",
        `${n(memory)} + ${n(idBytes)} × ${n(load.largestShare)}`,
      ),
      SHARD_BYTES_MAX,
      { of: "windows that must be in memory, then batches are refused", source: "workers/aggregate/residency.ts" },
      "no number of shards divides one merchant: keep fewer of its windows in memory (--id-windows), or spread a merchant's events over " +
        "several shards by their identity (to be built; --largest-merchant-share says what one of them would have)",
    ),
    figure(
      "largest_merchant_that_fits",
      (Math.max(0, SHARD_BYTES_MAX - memory) / idBytes) * load.eventsPerSecondPeak,
      "events/s at the peak",
      `max(0, ${n(SHARD_BYTES_MAX)} − ${n(memory)}) / ${n(idBytes)} × ${n(load.eventsPerSecondPeak)}`,
    ),
    within(
      figure(
        "storage",
        sliceBytes * WINDOWS_STORED + o["journal-mb"] * 1e6,
        "bytes a shard",
        `${n(sliceBytes)} a window × ${n(WINDOWS_STORED)} + ${n(o["journal-mb"])} × 1e6`,
      ),
      LIMITS.objectStorage.value,
      LIMITS.objectStorage,
      "more shards (--shards)",
    ),
  ];
}

/** What one shard's pages of a window take, on average over the day. */
export function sliceBytesOf(o: CapacityOptions, load: Load, shards: number): number {
  const small = (load.activeMerchants - load.grown) * o["window-bytes"];
  return (load.eventsPerWindow * ID_PAGE_BYTES + small + load.grown * GROWN_PAGE_BYTES) / shards;
}

/** What all the shards' recent windows take in memory at the peak, and `more` windows besides. */
export function recentBytesOf(o: CapacityOptions, load: Load, more: number): number {
  const tables = tableBytesPeak(o, load) * (o["counter-windows"] + more);
  return tables + load.eventsPerWindowPeak * o["id-bytes"] * (o["id-windows"] + more);
}

function tableBytesPeak(o: CapacityOptions, { activeMerchantsPeak, grownPeak }: Load): number {
  return (activeMerchantsPeak - grownPeak) * o["window-bytes"] + grownPeak * o["grown-window-bytes"];
}

/** Bytes that the shards keep on disk, all together. */
export function storedBytes(o: CapacityOptions, load: Load, shards: number): number {
  return (sliceBytesOf(o, load, shards) * WINDOWS_STORED + o["journal-mb"] * 1e6) * shards;
}

function business(o: CapacityOptions, load: Load, shards: number, calls: Calls): Item[] {
  const figure = figuresOf("shards");
  const busyLimit = { of: "--shard-busy", ...OURS };
  const eventsPerSecond = load.eventsPerSecondPeak;
  const callsText = `${n(calls.perSecondPeak)} calls/s × ${n(o["call-us"])} / 1e6`;
  return [
    within(
      figure(
        "busy_peak",
        calls.busyPeak,
        "of one thread",
        `${callsText} + ${n(eventsPerSecond)} events/s × ${n(o["apply-us"])} / 1e6 / ${n(shards)} shards`,
      ),
      o["shard-busy"],
      busyLimit,
      "more shards (--shards), or fewer direct calls (--async-share)",
    ),
    within(
      figure(
        "busy_peak_with_largest_merchant",
        calls.busyPeakLargest,
        "of its shard's thread",
        `${callsText} + ${n(eventsPerSecond)} events/s × (1 / ${n(shards)} + ${n(load.largestShare)}) × ${n(o["apply-us"])} / 1e6`,
      ),
      o["shard-busy"],
      busyLimit,
      "no number of shards divides one merchant: spread its events over several shards by their identity (to be built)",
    ),
  ];
}
