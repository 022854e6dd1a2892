import type { ExecutionContext } from "@cloudflare/workers-types";
import worker from "tally-ingest";
import { answerBench } from "./bench-calls.ts";
import { countedEnv } from "./counted-bindings.ts";
import { count } from "./counters.ts";

/** The ingest Worker as it is, with its bindings and its requests counted. */
export default {
  async fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
    const answer = await answerBench(request);
    if (answer !== undefined) return answer;
    count("worker_requests");
    return await worker.fetch(request, countedEnv(env), context);
  },
};
