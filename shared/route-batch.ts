import { EventBatch, ListMapping } from "./event-batch.ts";
import { keepCompiled } from "./keep-compiled.ts";
import { TextList, TextTable } from "./text-table.ts";
import { epochAt, hashedShardNumber, shardName, shardNumberIn, type Topology, type TopologyEpoch } from "./topology.ts";
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
  /** The texts of all batches, so that each is looked up once a batch, whatever the number of shards. */
  readonly #merchants = new TextTable();
  readonly #labels = new TextTable();
  readonly #destinations = new Destinations(this.#merchants, this.#labels);
  #added = 0;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  get routes(): Iterable<Route> {
    return this.#destinations.all;
  }

  /** Adds the events of a batch, but only those for a shard that `isWanted`; all take their positions. Answers how many were added. */
  add(source: EventBatch, isWanted: (shard: string) => boolean = () => true): number {
    const first = this.#added;
    this.#added += source.size;
    // Only when somebody wants something: most batches have been counted already.
    let texts: { readonly merchants: Uint32Array; readonly labels: Uint32Array } | undefined;
    const owners = new Owners(this.#topology, source, (shard) => {
      if (!isWanted(shard)) return null;
      texts ??= {
        merchants: interned(source.merchants, this.#merchants),
        labels: interned(source.labels, this.#labels),
      };
      const destination = this.#destinations.named(shard);
      destination.merchants.readThrough(texts.merchants);
      destination.labels.readThrough(texts.labels);
      return destination;
    });
    return spread(source, first, owners);
  }
}

/** The events of one batch by shard. */
export function routesOf(topology: Topology, batch: EventBatch): Iterable<Route> {
  const destinations = new Destinations(batch.merchants, batch.labels);
  const owners = new Owners(topology, batch, (shard) => destinations.named(shard));
  spread(batch, 0, owners);
  return destinations.all;
}

interface Destination extends Route {
  /** From the texts of the sources to those of this one. */
  readonly merchants: ListMapping;
  readonly labels: ListMapping;
  /** Events that are about to be added. */
  coming: number;
}

/** Shards that have been asked for, each with what goes there; all texts are in two lists. */
class Destinations {
  readonly #merchants: TextList;
  readonly #labels: TextList;
  readonly #byShard = new Map<string, Destination>();

  constructor(merchants: TextList, labels: TextList) {
    this.#merchants = merchants;
    this.#labels = labels;
  }

  get all(): Iterable<Destination> {
    return this.#byShard.values();
  }

  named(shard: string): Destination {
    const known = this.#byShard.get(shard);
    if (known !== undefined) return known;
    const batch = new EventBatch(0, new TextList(), new TextList());
    const merchants = new ListMapping(this.#merchants, batch.merchants);
    const labels = new ListMapping(this.#labels, batch.labels);
    const destination = { shard, batch, positions: [], merchants, labels, coming: 0 };
    this.#byShard.set(shard, destination);
    return destination;
  }
}

/** Brings each event of a batch to its owner, in order. Answers how many have one. They are counted first, so that there is room for all at once. */
function spread(source: EventBatch, first: number, owners: Owners<Destination | null>): number {
  const touched = new Set<Destination>();
  const destinations: (Destination | null)[] = new Array(source.size);
  let added = 0;
  for (let i = 0; i < source.size; i++) {
    const owner = owners.of(i);
    destinations[i] = owner;
    if (owner === null) continue;
    if (owner.coming === 0) touched.add(owner);
    owner.coming += 1;
    added += 1;
  }
  for (const owner of touched) {
    owner.batch.makeRoom(owner.coming);
    owner.coming = 0;
  }
  for (let i = 0; i < source.size && added > 0; i++) {
    const owner = destinations[i] as Destination | null;
    if (owner === null) continue;
    owner.batch.addFrom(source, i, owner.merchants, owner.labels);
    owner.positions.push(first + i);
  }
  return added;
}

/** Numbers of a list's strings in a table. */
function interned(texts: TextList, table: TextTable): Uint32Array {
  const numbers = new Uint32Array(texts.size);
  table.makeRoom(table.size + texts.size, table.begin(table.size) + texts.begin(texts.size));
  for (let n = 0; n < texts.size; n++) numbers[n] = table.internBytes(texts.arena, texts.begin(n), texts.end(n));
  return numbers;
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
  readonly #byNumber = new Map<number, Owner>();
  #epoch: TopologyEpoch | undefined;
  #hasOverrides = false;
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
    const owner = this.#numbered(this.#shardOf(epoch, merchant));
    this.#owners[merchant] = owner;
    return owner;
  }

  #shardOf(epoch: TopologyEpoch, merchant: number): number {
    const { merchants } = this.#batch;
    return this.#hasOverrides
      ? shardNumberIn(epoch, merchants.get(merchant))
      : hashedShardNumber(epoch, merchants.arena, merchants.begin(merchant), merchants.end(merchant));
  }

  #numbered(shard: number): Owner {
    const known = this.#byNumber.get(shard);
    if (known !== undefined) return known;
    const owner = this.#ownerOf(shardName(shard));
    this.#byNumber.set(shard, owner);
    return owner;
  }

  #enter(epoch: TopologyEpoch): void {
    this.#epoch = epoch;
    this.#hasOverrides = Object.keys(epoch.overrides).length > 0;
    this.#owners = this.#byEpoch.get(epoch) ?? new Array(this.#batch.merchants.size);
    this.#byEpoch.set(epoch, this.#owners);
  }
}

const nowhere: Topology = { epochs: [] };
keepCompiled(new ShardRoutes(nowhere), new Owners(nowhere, new EventBatch(), () => null));
