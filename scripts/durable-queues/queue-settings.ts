import { unstable_readConfig } from "wrangler";
import { WORKERS, WRANGLER_CONFIG } from "../build.ts";

/** How a queue hands its messages to its consumer. */
export interface QueueSettings {
  readonly maxBatchSize: number;
  /** A batch that is not full goes this long after its first message became deliverable. */
  readonly maxBatchTimeoutMs: number;
  /** Deliveries after the first one. */
  readonly maxRetries: number;
  /** For retries that name no delay. */
  readonly retryDelayMs: number;
  /** Batches with the consumer at a time. */
  readonly maxConcurrency: number;
  /** Where messages go that no delivery succeeded for; without one they are dropped. */
  readonly deadLetterQueue?: string;
}

/** Every queue by name; `undefined` for one that nobody consumes, which keeps what it is sent. */
export type Queues = ReadonlyMap<string, QueueSettings | undefined>;

/** What holds where wrangler.toml is silent (Cloudflare Queues, "Configuration"). */
const BATCH_SIZE_DEFAULT = 10;
const BATCH_TIMEOUT_S_DEFAULT = 5;
const RETRIES_DEFAULT = 3;
/** The platform scales to 250 by itself; so many are enough for batches to overtake one another. */
const CONCURRENCY_DEFAULT = 4;

/** The queues of all Workers, as `wrangler.toml` has them. */
export function readQueues(configPath: string = WRANGLER_CONFIG): Queues {
  const queues = new Map<string, QueueSettings | undefined>();
  for (const env of WORKERS) {
    const { producers = [], consumers = [] } = unstable_readConfig({ config: configPath, env }).queues;
    for (const { queue } of producers) queues.set(queue, queues.get(queue));
    for (const consumer of consumers) {
      const { dead_letter_queue: dead } = consumer;
      if (dead !== undefined) queues.set(dead, queues.get(dead));
      queues.set(consumer.queue, {
        maxBatchSize: consumer.max_batch_size ?? BATCH_SIZE_DEFAULT,
        maxBatchTimeoutMs: (consumer.max_batch_timeout ?? BATCH_TIMEOUT_S_DEFAULT) * 1000,
        maxRetries: consumer.max_retries ?? RETRIES_DEFAULT,
        retryDelayMs: (consumer.retry_delay ?? 0) * 1000,
        maxConcurrency: consumer.max_concurrency ?? CONCURRENCY_DEFAULT,
        ...(dead === undefined ? {} : { deadLetterQueue: dead }),
      });
    }
  }
  return queues;
}

/** The same queues, each with some settings replaced: a test waits for shorter times than an operator. */
export function withSettings(queues: Queues, over: Partial<QueueSettings>): Queues {
  return new Map([...queues].map(([name, settings]) => [name, settings && { ...settings, ...over }]));
}
