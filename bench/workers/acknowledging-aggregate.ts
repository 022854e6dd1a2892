import type { MessageBatch } from "@cloudflare/workers-types";
import worker from "tally-aggregate";
import { rawEvents } from "./raw-events.ts";
import { watchBatch } from "./watched-batch.ts";

export { Meter, Replayer, Shard } from "tally-aggregate";

/**
 * The aggregate Worker as it is, which also says on its log how many events it has acknowledged: the RAW consumer does so once they are
 * archived and counted. The price of knowing it is one look at each message's header and a line for each batch.
 */
export default {
  async queue(batch: MessageBatch, env: unknown): Promise<void> {
    if (batch.queue !== "tally-raw") return await worker.queue(batch, env);
    let events = 0;
    let retried = 0;
    await watchBatch(batch, (watched) => worker.queue(watched, env), {
      onAck: (body) => {
        events += rawEvents(body);
      },
      onRetry: () => {
        retried += 1;
      },
    });
    console.info(JSON.stringify({ bench: "raw batch", messages: batch.messages.length, events, retried }));
  },
};
