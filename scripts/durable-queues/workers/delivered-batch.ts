import type { Message, MessageBatch, QueueRetryOptions } from "@cloudflare/workers-types";
import { decodeFrame } from "../message-frame.ts";
import { deliverySchema, type Verdict } from "../wire.ts";

type Judgement = { readonly acked: true } | { readonly acked: false; readonly delayS: number | undefined };

/**
 * Has `consume` deal with the batch in a frame; answers what is to become of each message. As on the platform: the first word on a
 * message counts, one on the message counts before one on the batch, what nothing was said of is acknowledged when `consume` returns,
 * and comes again when it throws.
 */
export async function consumeDelivered(
  frame: ArrayBuffer,
  consume: (batch: MessageBatch) => Promise<void>,
): Promise<Verdict> {
  const { head, bodies } = decodeFrame(frame);
  const { queue, messages } = deliverySchema.parse(head);
  const single = new Map<string, Judgement>();
  let whole: Judgement | undefined;
  const batch = {
    queue,
    messages: messages.map(({ id, sent_at, attempts }, at): Message => {
      const judge = (judgement: Judgement) => {
        if (!single.has(id)) single.set(id, judgement);
      };
      return {
        id,
        timestamp: new Date(sent_at),
        attempts,
        body: bodies[at]?.buffer,
        ack: () => judge({ acked: true }),
        retry: (options) => judge(retriedAfter(options)),
      };
    }),
    ackAll: () => {
      whole ??= { acked: true };
    },
    retryAll: (options?: QueueRetryOptions) => {
      whole ??= retriedAfter(options);
    },
  };
  let unsaid: Judgement = { acked: true };
  try {
    await consume(batch as unknown as MessageBatch);
  } catch (error) {
    console.error(`the consumer of ${queue} threw`, error);
    unsaid = { acked: false, delayS: undefined };
  }
  const verdict: Verdict = { acked: [], retried: [] };
  for (const { id } of messages) {
    const judgement = single.get(id) ?? whole ?? unsaid;
    if (judgement.acked) verdict.acked.push(id);
    else verdict.retried.push(judgement.delayS === undefined ? { id } : { id, delay_s: judgement.delayS });
  }
  return verdict;
}

function retriedAfter(options: QueueRetryOptions | undefined): Judgement {
  return { acked: false, delayS: options?.delaySeconds };
}
