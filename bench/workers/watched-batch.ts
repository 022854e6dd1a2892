import type { Message, MessageBatch } from "@cloudflare/workers-types";

export interface Watch {
  /** Also of a message that the consumer said nothing of: the queue takes that for an acknowledgement when it returns. */
  readonly onAck: (body: unknown) => void;
  readonly onRetry: (body: unknown) => void;
}

/** Has `consume` deal with a batch, and tells what became of each message. */
export async function watchBatch(
  batch: MessageBatch,
  consume: (batch: MessageBatch) => Promise<void>,
  { onAck, onRetry }: Watch,
): Promise<void> {
  const silent = new Set<unknown>();
  const messages = batch.messages.map((message): Message => {
    const { id, timestamp, attempts, body } = message;
    silent.add(body);
    return {
      id,
      timestamp,
      attempts,
      body,
      ack: () => {
        if (silent.delete(body)) onAck(body);
        message.ack();
      },
      retry: (options) => {
        if (silent.delete(body)) onRetry(body);
        message.retry(options);
      },
    };
  });
  await consume({ queue: batch.queue, messages } as unknown as MessageBatch);
  for (const body of silent) onAck(body);
}
