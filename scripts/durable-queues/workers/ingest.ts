import type { ExecutionContext } from "@cloudflare/workers-types";
import worker from "tally-ingest";
import { queueEnv } from "./queue-env.ts";

/** The ingest Worker as it is, with its queues in the durable stand-in. */
export default {
  fetch: (request: Request, env: object, context: ExecutionContext) => worker.fetch(request, queueEnv(env), context),
};
