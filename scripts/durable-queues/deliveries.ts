import { encodeFrame } from "./message-frame.ts";
import type { Batch, MessageStore } from "./message-store.ts";
import { type DeliveryHead, type Verdict, verdictSchema } from "./wire.ts";

/** Before a consumer that cannot be reached is tried again. */
const UNREACHED_PAUSE_MS = 100;

/**
 * Gives a batch, as a frame, to whoever consumes it, and answers what became of it: `unreached` when nobody had it, `failed` when a
 * consumer may have had it and gave no verdict.
 */
export type Consumer = (
  frame: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
) => Promise<Verdict | "unreached" | "failed">;

export interface DeliveriesOptions {
  readonly queues: readonly string[];
  readonly leaseMs: number;
  readonly onDelivery: (queue: string) => void;
}

/** Hands batches to the consumer as they become due, several of a queue at a time, for as long as it runs. */
export class Deliveries {
  readonly #store: MessageStore;
  readonly #options: DeliveriesOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #stopped = new AbortController();
  #consumer: Consumer | undefined;
  /** Batches whose consumer ended without a verdict: it died, or threw. */
  failed = 0;
  /** Batches that got a verdict. */
  settled = 0;

  constructor(store: MessageStore, options: DeliveriesOptions) {
    this.#store = store;
    this.#options = options;
  }

  start(consumer: Consumer): void {
    this.#consumer = consumer;
    for (const queue of this.#options.queues) this.look(queue);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  /** Delivers what is due, and comes back when more will be. To be called after whatever may have made something due. */
  look(queue: string): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#stopped.signal.aborted) return;
    const nowMs = Date.now();
    for (let batch = this.#store.take(queue, nowMs); batch !== undefined; batch = this.#store.take(queue, nowMs)) {
      const delivery = this.#deliver(batch, consumer).finally(() => this.#running.delete(delivery));
      this.#running.add(delivery);
    }
    clearTimeout(this.#timers.get(queue));
    const nextMs = this.#store.nextMs(queue, nowMs);
    if (nextMs === undefined) return;
    this.#timers.set(
      queue,
      setTimeout(() => this.look(queue), nextMs - nowMs),
    );
  }

  async #deliver(batch: Batch, consumer: Consumer): Promise<void> {
    this.#options.onDelivery(batch.queue);
    const signal = AbortSignal.any([AbortSignal.timeout(this.#options.leaseMs), this.#stopped.signal]);
    const verdict = await Promise.race([consumer(frameOf(batch), signal), failureAt(signal)]);
    if (verdict === "unreached") {
      this.#store.giveBack(batch, Date.now(), UNREACHED_PAUSE_MS);
    } else if (verdict === "failed") {
      this.failed += 1;
      this.#store.settle(batch, { acked: [], retried: [] }, Date.now());
    } else {
      this.settled += 1;
      this.#store.settle(batch, verdict, Date.now());
    }
    // A dead letter may have gone to any of them.
    for (const queue of this.#options.queues) this.look(queue);
  }
}

function failureAt(signal: AbortSignal): Promise<"failed"> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve("failed"), { once: true });
  });
}

function frameOf({ queue, messages }: Batch): Uint8Array<ArrayBuffer> {
  const head: DeliveryHead = {
    queue,
    messages: messages.map(({ id, sentMs, attempts }) => ({ id, sent_at: sentMs, attempts })),
  };
  return encodeFrame(
    head,
    messages.map(({ body }) => body),
  );
}

/** The consumer that a Worker's entry is (`workers/aggregate.ts`), at its URL. */
export function consumerAt(url: string): Consumer {
  return async (frame, signal) => {
    try {
      const response = await fetch(url, { method: "POST", body: frame, signal });
      return response.ok ? verdictSchema.parse(await response.json()) : "failed";
    } catch (error) {
      return isRefused(error) ? "unreached" : "failed";
    }
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ECONNREFUSED";
}
