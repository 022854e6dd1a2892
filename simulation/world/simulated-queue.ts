import type { Chance } from "./chance.ts";
import { type Distance, farCall } from "./far-call.ts";
import type { Service } from "./weather.ts";

/** The platform's limits (Cloudflare Queues, "Limits"). */
const MESSAGE_BYTES_MAX = 128_000;
const SEND_MESSAGES_MAX = 100;
const SEND_BYTES_MAX = 256_000;
/** Of messages that were acknowledged, so many are delivered once more all the same; of those sent, so many are there twice. */
const DELIVERED_AGAIN = 0.03;
const THERE_TWICE = 0.02;

export interface QueueSettings {
  readonly name: string;
  /** Whose weather sending depends on. */
  readonly service: Service;
  readonly batchMax: number;
  readonly batchWaitMs: number;
  readonly retriesMax: number;
  readonly concurrencyMax: number;
  readonly deadLetters?: SimulatedQueue;
  /** Of the messages it has taken, so many are never seen again: more than the platform does, but what it feeds must bear it. */
  readonly lost?: number;
}

interface StoredMessage {
  readonly id: string;
  readonly body: Uint8Array;
  readonly sentMs: number;
  attempts: number;
  visibleMs: number;
}

export interface Delivery {
  readonly batch: MessageBatch;
  /** How the consumer left it; what was said of messages counts unless the consumer crashed. */
  readonly end: (how: "returned" | "threw" | "crashed") => void;
}

/** A queue that delivers at least once, in any order and grouping, as long as somebody consumes it. */
export class SimulatedQueue {
  readonly #settings: QueueSettings;
  readonly #distance: Distance;
  readonly #chance: Chance;
  #messages: StoredMessage[] = [];
  #inFlight = 0;
  #sent = 0;
  /** Takes what is to be delivered; set by who consumes. */
  onDelivery: (delivery: Delivery) => void = () => {};

  constructor(settings: QueueSettings, distance: Distance, chance: Chance) {
    this.#settings = settings;
    this.#distance = distance;
    this.#chance = chance;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#inFlight === 0;
  }

  binding(): Queue {
    const sendBatch = async (
      messages: Iterable<{ body: Uint8Array }>,
      { delaySeconds = 0 }: { delaySeconds?: number } = {},
    ) => {
      const bodies = [...messages].map(({ body }) => Uint8Array.from(body));
      await farCall(this.#distance, this.#settings.service, () => this.put(bodies, delaySeconds * 1000));
    };
    const send = (body: Uint8Array, options?: { delaySeconds?: number }) => sendBatch([{ body }], options);
    return { send, sendBatch } as unknown as Queue;
  }

  /** Takes all of them, or throws and takes none. */
  put(bodies: readonly Uint8Array[], delayMs: number): void {
    const bytes = bodies.reduce((sum, body) => sum + body.byteLength, 0);
    if (bodies.length > SEND_MESSAGES_MAX || bytes > SEND_BYTES_MAX) throw new Error("too large a batch for a queue");
    if (bodies.some((body) => body.byteLength > MESSAGE_BYTES_MAX)) throw new Error("too large a message for a queue");
    const { nowMs } = this.#distance.scheduler;
    for (const body of bodies) {
      if (this.#isStruck(this.#settings.lost ?? 0)) continue;
      const copies = this.#isStruck(THERE_TWICE) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const id = `${this.#settings.name}-${this.#sent++}`;
        this.#store({ id, body, sentMs: nowMs, attempts: 0, visibleMs: nowMs + delayMs });
      }
    }
  }

  #store(message: StoredMessage): void {
    this.#messages.push(message);
    const waitMs = message.visibleMs - this.#distance.scheduler.nowMs + this.#chance.below(this.#settings.batchWaitMs);
    this.#distance.scheduler.after(waitMs, () => this.#deliver());
  }

  #deliver(): void {
    const { nowMs } = this.#distance.scheduler;
    const visible = this.#messages.filter(({ visibleMs }) => visibleMs <= nowMs);
    if (visible.length === 0 || this.#inFlight >= this.#settings.concurrencyMax) return;
    const taken: StoredMessage[] = [];
    const n = this.#chance.is(0.5) ? this.#settings.batchMax : this.#chance.between(1, 4);
    for (const message of this.#isStruck(0.5) ? shuffled(visible, this.#chance) : visible) {
      if (taken.length < n) taken.push(message);
    }
    const ids = new Set(taken.map(({ id }) => id));
    this.#messages = this.#messages.filter(({ id }) => !ids.has(id));
    this.#inFlight += 1;
    this.onDelivery(this.#deliveryOf(taken));
  }

  #deliveryOf(taken: readonly StoredMessage[]): Delivery {
    const said = new Map<string, "ack" | { readonly delayMs: number }>();
    const say = (id: string, what: "ack" | { readonly delayMs: number }) => {
      if (!said.has(id)) said.set(id, what);
    };
    const messages = taken.map((message) => {
      message.attempts += 1;
      const { id, attempts, sentMs } = message;
      const retry = (options?: QueueRetryOptions) => say(id, { delayMs: 1000 * (options?.delaySeconds ?? 0) });
      const body = Uint8Array.from(message.body).buffer;
      return { id, attempts, timestamp: new Date(sentMs), body, ack: () => say(id, "ack"), retry };
    });
    const batch = { queue: this.#settings.name, messages, ackAll: () => {}, retryAll: () => {} };
    let hasEnded = false;
    const end = (how: "returned" | "threw" | "crashed") => {
      if (hasEnded) return;
      hasEnded = true;
      this.#inFlight -= 1;
      for (const message of taken) this.#settle(message, how === "crashed" ? undefined : said.get(message.id), how);
      this.#deliver();
    };
    return { batch: batch as unknown as MessageBatch, end };
  }

  #settle(message: StoredMessage, said: "ack" | { readonly delayMs: number } | undefined, how: string): void {
    const isDone = said === "ack" || (said === undefined && how === "returned");
    if (isDone && !this.#isStruck(DELIVERED_AGAIN)) return;
    const { retriesMax, deadLetters } = this.#settings;
    if (!isDone && message.attempts > retriesMax) {
      deadLetters?.put([message.body], 0);
      return;
    }
    const delayMs = typeof said === "object" ? said.delayMs : this.#chance.below(3_000);
    this.#store({ ...message, visibleMs: this.#distance.scheduler.nowMs + delayMs });
  }

  #isStruck(probability: number): boolean {
    return !this.#distance.weather.isCalm && this.#chance.is(probability);
  }
}

function shuffled<T>(list: readonly T[], chance: Chance): T[] {
  const rest = [...list];
  const out: T[] = [];
  for (let next = chance.take(rest); next !== undefined; next = chance.take(rest)) out.push(next);
  return out;
}
