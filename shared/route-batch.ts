import { EventBatch, ListMapping } from "./event-batch.ts";
import { TextList, TextTable } from "./text-table.ts";
import { epochAt, shardIn, type Topology, type TopologyEpoch } from "./topology.ts";
import { windowStart } from "./window.ts";

/** Events of one shard, in the order in which they were added, and the position each had among all. */
export interface Route {
  readonly shard: string;
  readonly batch: EventBatch;
  readonly positions: number[];
}

/** Spreads batches over the shards that own their events: a shard's events of all the batches become one batch. */
export class ShardRoutes {
  readonly #topology: Topology;
  readonly #routes = new Map<string, Destination>();
  /** The texts of all batches, so that each is looked up once a batch, whatever the number of shards. */
  readonly #merchants = new TextTable();
  readonly #labels = new TextTable();
  #added = 0;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  get routes(): Iterable<Route> {
    return this.#routes.values();
  }

  /** Adds the events of a batch, but only those for a shard that `isWanted`; all take their positions. Answers how many were added. */
  add(source: EventBatch, isWanted: (shard: string) => boolean = () => true): number {
    const first = this.#added;
    this.#added += source.size;
    const merchants = interned(source.merchants, this.#merchants);
    const labels = interned(source.labels, this.#labels);
    const owners = new Owners(this.#topology, source, (shard) => {
      if (!isWanted(shard)) return null;
      const destination = this.#destination(shard);
      destination.merchants.readThrough(merchants);
      destination.labels.readThrough(labels);
      return destination;
    });
    let added = 0;
    for (let i = 0; i < source.size; i++) {
      const owner = owners.of(i);
      if (owner === null) continue;
      owner.batch.addFrom(source, i, owner.merchants, owner.labels);
      owner.positions.push(first + i);
      added += 1;
    }
    return added;
  }

  #destination(shard: string): Destination {
    const known = this.#routes.get(shard);
    if (known !== undefined) return known;
    const batch = new EventBatch(0, new TextList(), new TextList());
    const merchants = new ListMapping(this.#merchants, batch.merchants);
    const destination = { shard, batch, positions: [], merchants, labels: new ListMapping(this.#labels, batch.labels) };
    this.#routes.set(shard, destination);
    return destination;
  }
}

interface Destination extends Route {
  /** From the texts of all batches to those of this one. */
  readonly merchants: ListMapping;
  readonly labels: ListMapping;
}

/** Numbers of a list's strings in a table. */
function interned(texts: TextList, table: TextTable): Uint32Array {
  const numbers = new Uint32Array(texts.size);
  for (let n = 0; n < texts.size; n++) numbers[n] = table.internBytes(texts.arena, texts.begin(n), texts.end(n));
  return numbers;
}

/** The events of one batch by shard. */
export function routesOf(topology: Topology, batch: EventBatch): Iterable<Route> {
  const routes = new ShardRoutes(topology);
  routes.add(batch);
  return routes.routes;
}

/** The shards that own events of a batch. */
export function shardsOf(topology: Topology, batch: EventBatch): ReadonlySet<string> {
  const owners = new Owners(topology, batch, (shard) => shard);
  const shards = new Set<string>();
  for (let i = 0; i < batch.size; i++) shards.add(owners.of(i));
  return shards;
}

/** Who owns the events of one batch: a merchant is hashed, and its owner looked up, once an epoch, not once an event. */
class Owners<Owner> {
  readonly #topology: Topology;
  readonly #batch: EventBatch;
  readonly #ownerOf: (shard: string) => Owner;
  readonly #byEpoch = new Map<TopologyEpoch, (Owner | undefined)[]>();
  #epoch: TopologyEpoch | undefined;
  #owners: (Owner | undefined)[] = [];

  constructor(topology: Topology, batch: EventBatch, ownerOf: (shard: string) => Owner) {
    this.#topology = topology;
    this.#batch = batch;
    this.#ownerOf = ownerOf;
  }

  of(i: number): Owner {
    const epoch = epochAt(this.#topology, windowStart(this.#batch.occurredAt(i)));
    if (epoch !== this.#epoch) this.#enter(epoch);
    const merchant = this.#batch.merchant(i);
    const known = this.#owners[merchant];
    if (known !== undefined) return known;
    const owner = this.#ownerOf(shardIn(epoch, this.#batch.merchants.get(merchant)));
    this.#owners[merchant] = owner;
    return owner;
  }

  #enter(epoch: TopologyEpoch): void {
    this.#epoch = epoch;
    this.#owners = this.#byEpoch.get(epoch) ?? new Array(this.#batch.merchants.size);
    this.#byEpoch.set(epoch, this.#owners);
  }
}
