import type { DurableObjectState, ScheduledController } from "@cloudflare/workers-types";
import worker, { Shard as RealShard } from "tally-aggregate";
import { consumeDelivered } from "./delivered-batch.ts";
import { queueEnv } from "./queue-env.ts";

export { Meter, Replayer } from "tally-aggregate";

/** The shard as it is, with its queue in the durable stand-in. */
export class Shard extends RealShard {
  constructor(context: DurableObjectState, env: object) {
    super(context, queueEnv(env));
  }
}

/** The aggregate Worker as it is, which takes its batches by HTTP: a request is a delivery, its answer the verdict. */
export default {
  async fetch(request: Request, env: object): Promise<Response> {
    const frame = await request.arrayBuffer();
    return Response.json(await consumeDelivered(frame, (batch) => worker.queue(batch, queueEnv(env))));
  },

  async scheduled(controller: ScheduledController, env: object): Promise<void> {
    await worker.scheduled(controller, queueEnv(env));
  },
};
