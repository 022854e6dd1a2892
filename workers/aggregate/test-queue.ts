import type { Env } from "./env.ts";
import worker from "./index.ts";
import { workerEnv } from "./test-shard.ts";

export interface Outcome {
  readonly acknowledged: string[];
  /** Seconds each retried message waits. */
  readonly retried: Record<string, number | undefined>;
}

export interface TestMessage {
  readonly id: string;
  readonly body: unknown;
  readonly attempts?: number;
}

/** Gives the Worker a batch as the queue would; answers what it made of each message, once. `broken` takes the place of bindings. */
export async function deliver(
  queue: string,
  messages: readonly TestMessage[],
  broken: Partial<Record<keyof Env, unknown>> = {},
): Promise<Outcome> {
  const outcome: Outcome = { acknowledged: [], retried: {} };
  const settled = new Set<string>();
  const settle = (id: string) => {
    if (settled.has(id)) throw new Error(`${id} is settled twice`);
    settled.add(id);
  };
  const batch = {
    queue,
    messages: messages.map(({ id, body, attempts = 1 }) => ({
      id,
      body,
      attempts,
      timestamp: new Date(),
      ack: () => {
        settle(id);
        outcome.acknowledged.push(id);
      },
      retry: (options?: QueueRetryOptions) => {
        settle(id);
        outcome.retried[id] = options?.delaySeconds;
      },
    })),
  };
  await worker.queue(batch as unknown as MessageBatch, { ...workerEnv, ...broken } as Env);
  // The platform takes a message nobody settled for acknowledged.
  if (settled.size !== messages.length) throw new Error(`${settled.size} of ${messages.length} messages are settled`);
  return outcome;
}
