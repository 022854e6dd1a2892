import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Queue } from "@cloudflare/workers-types";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import type { Consumer } from "./deliveries.ts";
import { decodeFrame } from "./message-frame.ts";
import { type QueueService, type QueueServiceOptions, startQueueService } from "./queue-service.ts";
import type { QueueSettings } from "./queue-settings.ts";
import { deliverySchema } from "./wire.ts";
import { queueEnv } from "./workers/queue-env.ts";

let dir: string;
let service: QueueService;
let ids = 0;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-service-"));
  service = await start();
});
afterEach(async () => {
  await service.stop();
  await rm(dir, { recursive: true, force: true });
});

function start(over: Partial<QueueServiceOptions> = {}): Promise<QueueService> {
  const settings = { maxBatchSize: 10, maxBatchTimeoutMs: 0, maxRetries: 1, retryDelayMs: 0, maxConcurrency: 2 };
  return startQueueService({
    path: join(dir, "queues.sqlite"),
    queues: new Map<string, QueueSettings>([
      ["log", { ...settings, deadLetterQueue: "dead" }],
      ["dead", settings],
    ]),
    // Longer than any machine takes for a delivery.
    leaseMs: 600_000,
    random: seededRandom("service"),
    newId: () => `id-${ids++}`,
    repeatShare: 0,
    ...over,
  });
}

/** A Worker's binding of the queue. */
function producer() {
  const env = { QUEUES_URL: service.url, QUEUE_PRODUCERS: JSON.stringify({ LOG: { queue: "log" } }), OTHER: 1 };
  return (queueEnv(env) as { LOG: Pick<Queue, "send" | "sendBatch"> }).LOG;
}

const bytes = (text: string) => new TextEncoder().encode(text);

interface Delivery {
  readonly queue: string;
  readonly attempts: readonly number[];
  readonly ids: readonly string[];
  readonly text: string;
}

/** A consumer that does as `act` says, and the promise of the first delivery that `isAwaited`. */
function watching(
  act: (delivery: Delivery, at: number) => ReturnType<Consumer>,
  isAwaited: (delivery: Delivery) => boolean,
) {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  let at = 0;
  const consumer: Consumer = async (frame) => {
    const { head, bodies } = decodeFrame(frame.buffer);
    const { queue, messages } = deliverySchema.parse(head);
    const text = bodies.map((body) => new TextDecoder().decode(body)).join("");
    const delivery = {
      queue,
      attempts: messages.map(({ attempts }) => attempts),
      ids: messages.map(({ id }) => id),
      text,
    };
    const verdict = await act(delivery, at++);
    if (isAwaited(delivery)) resolve(delivery);
    return verdict;
  };
  return { consumer, delivered: promise };
}

const acknowledge = async ({ ids: acked }: Delivery) => ({ acked: [...acked], retried: [] });

test("what a Worker sends arrives with the consumer, and is gone once that acknowledged it", async () => {
  await producer().send(bytes("one"));
  expect(service.store.backlog()).toEqual({ log: 1 });
  const { consumer, delivered } = watching(acknowledge, () => true);
  service.deliverTo(consumer);
  expect(await delivered).toMatchObject({ queue: "log", attempts: [1], text: "one" });
  await service.deliveries.stop();
  expect(service.store.backlog()).toEqual({});
});

test("what was sent and not delivered outlives the service", async () => {
  await producer().sendBatch([{ body: bytes("a") }, { body: bytes("b") }]);
  await service.stop();
  service = await start();
  const { consumer, delivered } = watching(acknowledge, () => true);
  service.deliverTo(consumer);
  expect([...(await delivered).text].sort()).toEqual(["a", "b"]);
});

test("a consumer that dies is given the batch again; one that cannot be reached has not had it", async () => {
  const { consumer, delivered } = watching(
    async (delivery, at) => (["unreached", "failed"] as const)[at] ?? (await acknowledge(delivery)),
    ({ attempts }) => attempts[0] === 2,
  );
  service.deliverTo(consumer);
  await producer().send(bytes("one"));
  expect(await delivered).toMatchObject({ queue: "log", text: "one" });
  expect(service.deliveries.failed).toBe(1);
});

test("a message no delivery succeeds for reaches the consumer of dead letters", async () => {
  const { consumer, delivered } = watching(
    async (delivery) => (delivery.queue === "dead" ? acknowledge(delivery) : "failed"),
    ({ queue }) => queue === "dead",
  );
  service.deliverTo(consumer);
  await producer().send(bytes("one"));
  expect(await delivered).toMatchObject({ text: "one", attempts: [1] });
});

test("a consumer that never answers loses the batch to the next delivery", async () => {
  await service.stop();
  service = await start({ leaseMs: 50 });
  const { consumer, delivered } = watching(
    async (delivery, at) => (at === 0 ? await new Promise<never>(() => {}) : acknowledge(delivery)),
    ({ attempts }) => attempts[0] === 2,
  );
  service.deliverTo(consumer);
  await producer().send(bytes("one"));
  expect((await delivered).text).toBe("one");
});

test("what the platform would refuse is an error of the sender, and nothing of it arrives", async () => {
  const queue = producer();
  await expect(queue.send(new Uint8Array(128_000))).rejects.toThrow(/413.*128100 bytes/);
  await expect(queue.sendBatch(Array(101).fill({ body: bytes("a") }))).rejects.toThrow(/413.*101 messages/);
  await expect(queue.send(bytes("a"), { delaySeconds: 86_401 })).rejects.toThrow(/413.*delay/);
  await expect((async () => await queue.send("text"))()).rejects.toThrow(/bytes only/);
  expect(service.store.backlog()).toEqual({});
});
