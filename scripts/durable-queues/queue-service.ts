import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Consumer, Deliveries } from "./deliveries.ts";
import { decodeFrame } from "./message-frame.ts";
import { MessageStore, type MessageStoreOptions } from "./message-store.ts";
import { sendingSchema } from "./wire.ts";

export interface QueueServiceOptions extends MessageStoreOptions {
  /** Told of each batch as it goes to the consumer. */
  readonly onDelivery?: (queue: string) => void;
}

/** Queues on disk behind HTTP, in the place of the platform's. */
export interface QueueService {
  /** Where a Worker sends: `POST <url>/<queue>` with a frame of messages, answered 204 once they are on disk. */
  readonly url: string;
  readonly store: MessageStore;
  readonly deliveries: Deliveries;
  /** Begins to deliver. Until then, everything waits. */
  deliverTo(consumer: Consumer): void;
  /** Has everything that waits for a retry, or was sent with a delay, delivered now. */
  endDelays(): void;
  /** Ends deliveries under way as if their consumer had died; what is on disk can be opened again. */
  stop(): Promise<void>;
}

export async function startQueueService(options: QueueServiceOptions): Promise<QueueService> {
  const store = new MessageStore(options);
  const deliveries = new Deliveries(store, {
    queues: [...options.queues.keys()],
    leaseMs: options.leaseMs,
    onDelivery: options.onDelivery ?? (() => {}),
  });
  const server = createServer((request, response) => {
    void answer(request, response, store, deliveries);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    store,
    deliveries,
    deliverTo: (consumer) => deliveries.start(consumer),
    endDelays: () => {
      store.endDelays(Date.now());
      for (const queue of options.queues.keys()) deliveries.look(queue);
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await deliveries.stop();
      store.close();
    },
  };
}

/** What the platform would refuse is a 413, as it is there; anything else that fails was not taken either. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  store: MessageStore,
  deliveries: Deliveries,
): Promise<void> {
  try {
    const queue = decodeURIComponent((request.url ?? "/").slice(1));
    const { head, bodies } = decodeFrame(new Uint8Array(await buffer(request)).buffer);
    const { messages } = sendingSchema.parse(head);
    if (messages.length !== bodies.length) throw new Error(`${messages.length} messages, ${bodies.length} bodies`);
    store.put(
      queue,
      bodies.map((body, at) => ({ body, delayS: messages[at]?.delay_s ?? 0 })),
      Date.now(),
    );
    response.writeHead(204).end();
    deliveries.look(queue);
  } catch (error) {
    response.writeHead(error instanceof RangeError ? 413 : 500, { "Content-Type": "text/plain" }).end(String(error));
  }
}
