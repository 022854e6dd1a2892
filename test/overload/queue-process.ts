import { randomUUID } from "node:crypto";
import { consumerAt } from "../../scripts/durable-queues/deliveries.ts";
import { startQueueService } from "../../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../../scripts/durable-queues/queue-settings.ts";
import { seededRandom } from "../../scripts/seeded-random.ts";

/** Begins with the one, and delivers to the other once it is told. */
export type QueueOrder = { readonly path: string } | { readonly consumerUrl: string };

const LEASE_MS = 60_000;
/** Consumers share the Workers' thread here: several at a time are done no sooner, and keep all else waiting for as long as all of them take. */
const CONCURRENCY = 1;

/** The process of `separate-queues.ts`. */
process.once("message", async (order: { readonly path: string }) => {
  const service = await startQueueService({
    path: order.path,
    queues: withSettings(readQueues(), { maxConcurrency: CONCURRENCY }),
    leaseMs: LEASE_MS,
    random: seededRandom("overload"),
    newId: randomUUID,
    repeatShare: 0,
  });
  process.on("message", ({ consumerUrl }: { readonly consumerUrl: string }) => {
    service.deliverTo(consumerAt(consumerUrl));
  });
  // When its parent lets go of it, or dies.
  process.once("disconnect", async () => {
    await service.stop();
    process.exit();
  });
  process.send?.(service.url);
});
