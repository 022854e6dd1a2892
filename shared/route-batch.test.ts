import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "./event.arbitrary.ts";
import type { PaymentEvent } from "./event.ts";
import { batchOf } from "./event-batch.ts";
import { encodeShardBatch } from "./messages/shard-batch.ts";
import { routesOf, ShardRoutes, shardsOf } from "./route-batch.ts";
import { sipKeyFromHex } from "./siphash.ts";
import { shardOf, topologyOf } from "./topology.ts";
import { HOUR_MS, windowStart } from "./window.ts";

const key = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
/** Epochs that events of a hundred years are spread over. */
const topology = topologyOf([
  { id: 1, from_ms: 0, shards: 3, overrides: {} },
  { id: 2, from_ms: 400_000 * HOUR_MS, shards: 5, overrides: { "shop-1": 77 } },
  { id: 3, from_ms: 600_000 * HOUR_MS, shards: 1, overrides: { constructor: 78 } },
]);
const ownerOf = (event: PaymentEvent) => shardOf(topology, event.merchant_id, windowStart(event.occurred_at));
const batches = fc.array(fc.array(paymentEvent, { maxLength: 20 }), { maxLength: 5 });

/** Shards, each with its positions and its events as bytes. */
const routed = (routes: ShardRoutes["routes"]) =>
  new Map([...routes].map(({ shard, batch, positions }) => [shard, { positions, bytes: encodeShardBatch(batch) }]));

function expected(sent: readonly (readonly PaymentEvent[])[], isWanted: (shard: string, batch: number) => boolean) {
  const all = sent.flatMap((events, batch) => events.map((event) => ({ event, batch })));
  const wanted = all.flatMap(({ event, batch }, position) =>
    isWanted(ownerOf(event), batch) ? [{ event, position, shard: ownerOf(event) }] : [],
  );
  return new Map(
    wanted.map(({ shard }) => {
      const own = wanted.filter((one) => one.shard === shard);
      const bytes = encodeShardBatch(
        batchOf(
          own.map(({ event }) => event),
          key,
        ),
      );
      return [shard, { positions: own.map(({ position }) => position), bytes }];
    }),
  );
}

describe("routes", () => {
  test("bring every event of all batches to its own shard, once, in its order and with its position", () => {
    fc.assert(
      fc.property(batches, (sent) => {
        const routes = new ShardRoutes(topology);
        const added = sent.map((events) => routes.add(batchOf(events, key)));
        expect(added).toEqual(sent.map(({ length }) => length));
        expect(routed(routes.routes)).toEqual(expected(sent, () => true));
      }),
    );
  });

  test("leave out a batch's events for shards that do not want them, and those alone; positions stay", () => {
    fc.assert(
      fc.property(batches, fc.func(fc.boolean()), (sent, isWanted) => {
        const routes = new ShardRoutes(topology);
        const added = sent.map((events, n) => routes.add(batchOf(events, key), (shard) => isWanted(shard, n)));
        expect(added).toEqual(sent.map((events, n) => events.filter((event) => isWanted(ownerOf(event), n)).length));
        expect(routed(routes.routes)).toEqual(expected(sent, isWanted));
      }),
    );
  });

  test("of one batch go to the shards that own events of it, and to no others", () => {
    fc.assert(
      fc.property(fc.array(paymentEvent, { maxLength: 30 }), (events) => {
        const batch = batchOf(events, key);
        expect(shardsOf(topology, batch)).toEqual(new Set(events.map(ownerOf)));
        expect(routed(routesOf(topology, batch))).toEqual(expected([events], () => true));
        // The same of one that was cut out of another, whose texts cannot be looked up.
        expect(routed(routesOf(topology, batch.slice(0, batch.size)))).toEqual(expected([events], () => true));
      }),
    );
  });
});
