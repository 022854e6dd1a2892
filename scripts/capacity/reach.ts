import type { Flow } from "./flow.ts";
import { n } from "./item.ts";
import { activeMerchants, type MerchantLaw } from "./zipf.ts";

/** Some events on their way to the shards, and of how many merchants they are: a merchant's events all go to one shard. */
export interface Reach {
  readonly events: number;
  readonly merchants: number;
}

/** What ingest and a consumer have in hand when they call shards, whatever their number. */
export interface Reaches {
  readonly request: Reach;
  readonly fullGroup: Reach;
  /** What is left of a batch after its full groups. */
  readonly restGroup: Reach;
  /** Of the groups, the events that direct calls have brought, whose shards are asked about them. */
  readonly countedInFullGroup: Reach;
  readonly countedInRestGroup: Reach;
  /** And those that only the log brings. */
  readonly newInFullGroup: Reach;
  readonly newInRestGroup: Reach;
}

export function reachesOf(law: MerchantLaw, flow: Flow, batch: number, asyncShare: number): Reaches {
  const group = (events: number) => reachOf(law, events, flow.partitions);
  return {
    request: reachOf(law, batch, 1),
    fullGroup: group(flow.fullGroups > 0 ? flow.eventsPerFullGroup : 0),
    restGroup: group(flow.eventsOfRest),
    countedInFullGroup: group(flow.fullGroups > 0 ? flow.eventsPerFullGroup * (1 - asyncShare) : 0),
    countedInRestGroup: group(flow.eventsOfRest * (1 - asyncShare)),
    newInFullGroup: group(flow.fullGroups > 0 ? flow.eventsPerFullGroup * asyncShare : 0),
    newInRestGroup: group(flow.eventsOfRest * asyncShare),
  };
}

/** Events of one of `partitions` have its merchants only: as many as all of so many times the events have, divided by that. */
function reachOf(law: MerchantLaw, events: number, partitions: number): Reach {
  return { events, merchants: activeMerchants(law, events * partitions) / partitions };
}

export function reachText({ merchants, exponent, norm }: MerchantLaw, events: number, partitions = 1): string {
  const sum = `Σ k = 1…${n(merchants)} of 1 − (1 − k^−${n(exponent)} / ${n(norm)})^${n(events * partitions)}`;
  return partitions === 1 ? sum : `${sum}, / ${n(partitions)}`;
}
