import {
  decodeLiveMessage,
  LIVE_PATH,
  LIVE_PING,
  LIVE_PING_INTERVAL_MS,
  LIVE_PONG,
  type LiveMessage,
} from "../../../shared/messages/live.ts";
import type { Env } from "../env.ts";
import { askShard, ShardUnavailable } from "../hot-windows.ts";

/** The shard has as many listeners as it may. */
export class TooManyListeners extends Error {}

const FIRST_MESSAGE_MS_MAX = 5_000;

/** A shard's word on a merchant, over a WebSocket that keeps the shard from nothing: it may hibernate meanwhile. */
export class LiveSubscription {
  readonly #socket: WebSocket;
  #isEnded = false;
  #pongMs: number;
  #pingMs: number;

  private constructor(socket: WebSocket, nowMs: number) {
    this.#socket = socket;
    this.#pongMs = nowMs;
    this.#pingMs = nowMs;
  }

  /**
   * Resolves once the first message has been handed to `onMessage`. `onEnd` is called when it ends by itself. Throws `TooManyListeners` and
   * `ShardUnavailable`.
   */
  static async open(
    env: Pick<Env, "SHARD">,
    shard: string,
    merchantId: string,
    onMessage: (message: LiveMessage) => void,
    onEnd: () => void,
  ): Promise<LiveSubscription> {
    const socket = await connect(env, shard, merchantId);
    const subscription = new LiveSubscription(socket, Date.now());
    const first = Promise.withResolvers<void>();
    const end = () => {
      first.reject(new ShardUnavailable(`${shard} ended the subscription`));
      if (subscription.#isEnded) return;
      subscription.#isEnded = true;
      onEnd();
    };
    socket.addEventListener("close", end);
    socket.addEventListener("error", end);
    socket.addEventListener("message", ({ data }) => {
      if (data === LIVE_PONG) {
        subscription.#pongMs = Date.now();
        return;
      }
      const message = decoded(String(data));
      if (!message.ok) {
        subscription.close();
        end();
        return;
      }
      onMessage(message.value);
      first.resolve();
    });
    socket.accept();
    const timer = setTimeout(() => first.reject(new ShardUnavailable(`${shard} is silent`)), FIRST_MESSAGE_MS_MAX);
    try {
      await first.promise;
    } catch (error) {
      subscription.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return subscription;
  }

  /** Asks now and then whether the other end is there; answers whether it was when asked last. */
  isAlive(nowMs: number): boolean {
    if (this.#isEnded) return false;
    if (nowMs - this.#pingMs < LIVE_PING_INTERVAL_MS) return true;
    if (this.#pongMs < this.#pingMs) return false;
    this.#pingMs = nowMs;
    this.#socket.send(LIVE_PING);
    return true;
  }

  close(): void {
    this.#isEnded = true;
    try {
      this.#socket.close(1000);
    } catch {
      // It is closed.
    }
  }
}

/** The last one decoded: a shard says the same to all listeners of a merchant, and to read it takes most of the time. */
let last: { readonly text: string; readonly message: ReturnType<typeof decodeLiveMessage> } | undefined;

function decoded(text: string): ReturnType<typeof decodeLiveMessage> {
  if (last?.text !== text) last = { text, message: decodeLiveMessage(text) };
  return last.message;
}

async function connect(env: Pick<Env, "SHARD">, shard: string, merchantId: string): Promise<WebSocket> {
  let response: Response;
  try {
    const url = `https://shard${LIVE_PATH}?merchant=${encodeURIComponent(merchantId)}`;
    response = await askShard(env, shard, (stub) => stub.fetch(url, { headers: { Upgrade: "websocket" } }));
  } catch (cause) {
    throw new ShardUnavailable(`${shard} does not answer`, { cause });
  }
  if (response.status === 503) throw new TooManyListeners(`${shard} has enough listeners`);
  if (response.webSocket === null) throw new ShardUnavailable(`${shard} answers ${response.status}`);
  return response.webSocket;
}
