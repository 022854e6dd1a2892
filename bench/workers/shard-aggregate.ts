import type { DurableObjectNamespace, MessageBatch } from "@cloudflare/workers-types";
import worker, { Shard as RealShard } from "tally-aggregate";

export { Meter, Replayer } from "tally-aggregate";

interface Env {
  readonly SHARD: DurableObjectNamespace;
}

/** The shard as it is, which can also be asked how large its storage is, and be made to start anew. */
export class Shard extends RealShard {
  benchStorageBytes(): number {
    return this.ctx.storage.sql.databaseSize;
  }

  benchRestart(): void {
    this.ctx.abort("the benchmark has it start anew");
  }
}

const SHARD_NAME = "shard-0";

/** The aggregate Worker as it is, with one shard that the benchmark calls without anything else in between. */
export default {
  async queue(batch: MessageBatch, env: unknown): Promise<void> {
    await worker.queue(batch, env);
  },

  async fetch(request: Request, env: Env): Promise<Response> {
    const shard = env.SHARD.get(env.SHARD.idFromName(SHARD_NAME)) as unknown as Stub;
    switch (new URL(request.url).pathname) {
      case "/bench/apply": {
        const statuses = await shard.apply(new Uint8Array(await request.arrayBuffer()));
        return Response.json({ accepted: statuses.filter((status) => status === 0).length });
      }
      case "/bench/read":
        return new Response(await shard.read("nobody", 0, 1));
      case "/bench/storage":
        return Response.json({ bytes: await shard.benchStorageBytes() });
      case "/bench/restart":
        // The call that ends the object ends in an error.
        await shard.benchRestart().catch(() => {});
        return new Response(null, { status: 204 });
      default:
        return new Response(null, { status: 404 });
    }
  },
};

interface Stub {
  apply(batch: Uint8Array): Promise<Uint8Array>;
  read(merchantId: string, fromMs: number, toMs: number): Promise<string>;
  benchStorageBytes(): Promise<number>;
  benchRestart(): Promise<void>;
}
