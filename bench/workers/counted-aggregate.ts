import type { DurableObjectNamespace, DurableObjectState, MessageBatch } from "@cloudflare/workers-types";
import worker, { Shard as RealShard } from "tally-aggregate";
import { answerBench } from "./bench-calls.ts";
import { type CountedQueue, countedEnv, queueOperations } from "./counted-bindings.ts";
import { type Alarm, countStorage } from "./counted-storage.ts";
import { count, countCall } from "./counters.ts";
import { rawEvents } from "./raw-events.ts";
import { watchBatch } from "./watched-batch.ts";

export { Meter, Replayer } from "tally-aggregate";

interface Env {
  readonly SHARD: DurableObjectNamespace;
}

/** Every shard there has been, by id: their alarms are looked after when the clock is moved. */
const shardIds = new Set<string>();

/** The shard as it is, with its storage, its calls and its alarms counted. */
export class Shard extends RealShard {
  readonly #alarm: Alarm;

  constructor(context: DurableObjectState, env: object) {
    const alarm = countStorage(context.storage);
    super(context, countedEnv(env));
    this.#alarm = alarm;
    shardIds.add(context.id.toString());
  }

  benchGetAlarm(): Promise<number | null> {
    return this.#alarm.get();
  }

  benchSetAlarm(shownMs: number): Promise<void> {
    return this.#alarm.set(shownMs);
  }
}

for (const name of Object.getOwnPropertyNames(RealShard.prototype)) {
  const real: unknown = Reflect.get(RealShard.prototype, name);
  if (name === "constructor" || typeof real !== "function") continue;
  Object.defineProperty(Shard.prototype, name, {
    value: function counted(this: object, ...parameters: readonly unknown[]): unknown {
      countCall(name);
      return real.apply(this, parameters);
    },
  });
}

const QUEUES: Readonly<Record<string, CountedQueue>> = { "tally-raw": "raw", "tally-windows": "windows" };

export default {
  async queue(batch: MessageBatch, env: object): Promise<void> {
    const name = QUEUES[batch.queue];
    if (name === undefined) throw new Error(`a dead letter: ${batch.queue}`);
    count("consumer_batches");
    for (const { body } of batch.messages) count(`${name}_reads`, queueOperations(body));
    let events = 0;
    let retried = 0;
    await watchBatch(batch, (watched) => worker.queue(watched, countedEnv(env)), {
      onAck: (body) => {
        count(`${name}_deletes`, queueOperations(body));
        if (name === "raw") events += rawEvents(body);
      },
      onRetry: () => {
        count("retries");
        retried += 1;
      },
    });
    if (name === "raw") {
      console.info(JSON.stringify({ bench: "raw batch", messages: batch.messages.length, events, retried }));
    }
  },

  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/bench/open": {
        const names = Array.from({ length: Number(searchParams.get("shards")) }, (_, index) => `shard-${index}`);
        await Promise.all(names.map((name) => alarmed(env.SHARD.get(env.SHARD.idFromName(name))).benchGetAlarm()));
        return new Response(null, { status: 204 });
      }
      case "/bench/clock":
        return await keepingAlarms(env, request);
      default:
        return (await answerBench(request)) ?? new Response(null, { status: 404 });
    }
  },
};

/** An alarm is kept in real time, so it has to be set again for the same moment of a clock that shows another time. */
async function keepingAlarms(env: Env, request: Request): Promise<Response> {
  const shards = [...shardIds].map((id) => alarmed(env.SHARD.get(env.SHARD.idFromString(id))));
  const alarms = await Promise.all(shards.map(async (shard) => ({ shard, shownMs: await shard.benchGetAlarm() })));
  const answer = await answerBench(request);
  await Promise.all(alarms.map(({ shard, shownMs }) => (shownMs === null ? undefined : shard.benchSetAlarm(shownMs))));
  return answer ?? new Response(null, { status: 404 });
}

const alarmed = (stub: unknown) => stub as Pick<Shard, "benchGetAlarm" | "benchSetAlarm">;
