/** The real Workers, under the names that `bundle-entry.ts` resolves: their own types need the Workers' globals, which Node's clash with. */
declare module "tally-ingest" {
  import type { ExecutionContext } from "@cloudflare/workers-types";

  const worker: { fetch(request: Request, env: unknown, context: ExecutionContext): Response | Promise<Response> };
  export default worker;
}

declare module "tally-aggregate" {
  import type { DurableObjectState, MessageBatch, ScheduledController } from "@cloudflare/workers-types";

  const worker: {
    queue(batch: MessageBatch, env: unknown): Promise<void>;
    scheduled(controller: ScheduledController, env: unknown): Promise<void>;
  };
  export default worker;
  export const Meter: new (context: DurableObjectState, env: unknown) => object;
  export const Replayer: new (context: DurableObjectState, env: unknown) => object;
  /** `ctx` is protected; a benchmark's own shard may look at it. */
  export const Shard: new (context: DurableObjectState, env: unknown) => { readonly ctx: DurableObjectState };
}

declare module "tally-api" {
  const worker: { fetch(request: Request, env: unknown, context: unknown): Response | Promise<Response> };
  export default worker;
}
