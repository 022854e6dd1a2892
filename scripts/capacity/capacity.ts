import { type Bill, billOf } from "./bill.ts";
import { callsOf } from "./calls.ts";
import { countingOf } from "./counting.ts";
import { logFlow, partitionFlow } from "./flow.ts";
import { historyOf } from "./history.ts";
import type { Item } from "./item.ts";
import { loadOf } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { outageItems } from "./outage.ts";
import { reachesOf } from "./reach.ts";
import { readsOf } from "./reads.ts";
import { shardSizeOf } from "./shard-size.ts";
import { upkeepOf } from "./upkeep.ts";

export interface Capacity extends Pick<Bill, "usdPerDay" | "usdPerBillionEvents"> {
  readonly shards: number;
  /** In the order an event meets them, the bill last. */
  readonly items: readonly Item[];
}

/** What a load takes of the platform, from the request to the dollar. Arithmetic alone: the same options give the same figures. */
export function capacity(o: CapacityOptions): Capacity {
  const load = loadOf(o);
  const log = logFlow(o, load);
  const partition = o.repartition ? partitionFlow(o, log) : undefined;
  const counted = partition ?? log;
  const reaches = reachesOf(load.law, counted, o.batch, o["async-share"]);
  const { shards, items: shardItems } = shardSizeOf(o, load, counted, reaches);
  const calls = callsOf(o, load, counted, reaches, shards);
  const counting = countingOf(o, { load, flow: counted, reaches, shards, calls });
  const history = historyOf(o, load, shards, counting);
  const upkeep = upkeepOf(o, load, log);
  const reads = readsOf(o, shards);
  const bill = billOf(o, { load, log, partition, shards, calls, counting, history, upkeep, reads });
  return {
    shards,
    usdPerDay: bill.usdPerDay,
    usdPerBillionEvents: bill.usdPerBillionEvents,
    items: [
      ...load.items,
      ...log.items,
      ...(partition?.items ?? []),
      ...shardItems,
      ...counting.items,
      ...history.items,
      ...upkeep.items,
      ...reads.items,
      ...outageItems(o, load, log, counted, counting, history),
      ...bill.items,
    ],
  };
}
