import { z } from "zod";
import { encodeFrame } from "../message-frame.ts";
import type { Sending } from "../wire.ts";

/** What the local runtime binds in place of queues: where they are, and the queue behind each binding. */
const queueBindingsSchema = z.object({ QUEUES_URL: z.url(), QUEUE_PRODUCERS: z.string() });
const producersSchema = z.record(z.string(), z.object({ queue: z.string(), delay_s: z.number().optional() }));

const replaced = new WeakMap<object, object>();

/** The bindings of a Worker, with its queues in the durable stand-in. */
export function queueEnv(env: object): object {
  const known = replaced.get(env);
  if (known !== undefined) return known;
  const { QUEUES_URL, QUEUE_PRODUCERS } = queueBindingsSchema.parse(env);
  const producers = producersSchema.parse(JSON.parse(QUEUE_PRODUCERS));
  const queues = Object.entries(producers).map(([binding, { queue, delay_s }]) => [
    binding,
    producer(`${QUEUES_URL}/${encodeURIComponent(queue)}`, delay_s),
  ]);
  const whole = { ...env, ...Object.fromEntries(queues) };
  replaced.set(env, whole);
  return whole;
}

interface SendOptions {
  readonly contentType?: string;
  readonly delaySeconds?: number;
}

/** `send` and `sendBatch` of a `Queue`, which resolve once the messages are on disk. */
function producer(url: string, defaultDelayS: number | undefined): object {
  const post = async (messages: readonly { body: unknown; delayS: number | undefined }[]) => {
    const head: Sending = { messages: messages.map(({ delayS }) => (delayS === undefined ? {} : { delay_s: delayS })) };
    const frame = encodeFrame(
      head,
      messages.map(({ body }) => bytesOf(body)),
    );
    const response = await fetch(url, { method: "POST", body: frame });
    const text = await response.text();
    if (!response.ok) throw new Error(`queue: ${response.status} ${text}`);
  };
  return {
    send: (body: unknown, options: SendOptions = {}) => post([{ body, delayS: options.delaySeconds ?? defaultDelayS }]),
    sendBatch: (messages: Iterable<SendOptions & { readonly body: unknown }>, options: SendOptions = {}) =>
      post(
        [...messages].map(({ body, delaySeconds }) => ({
          body,
          delayS: delaySeconds ?? options.delaySeconds ?? defaultDelayS,
        })),
      ),
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw new Error("the stand-in for queues takes bytes only, which is all that is sent here");
}
