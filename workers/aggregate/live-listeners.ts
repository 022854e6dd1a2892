import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import type { EventBatch } from "../../shared/event-batch.ts";
import {
  encodeLiveMessage,
  LIVE_PATH,
  LIVE_PING,
  LIVE_PING_INTERVAL_MS,
  LIVE_PONG,
  liveFromMs,
} from "../../shared/messages/live.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { log } from "../log.ts";
import { DamagedWindow } from "./damage.ts";
import type { ShardState } from "./engine.ts";
import { LiveChanges } from "./live-changes.ts";
import { windowsOfMerchant } from "./reading.ts";

/** Of a merchant: more than any shop's screens, and each is sent every change. */
export const LIVE_LISTENERS_PER_MERCHANT_MAX = 2_000;
/** The platform allows 32,768 hibernatable WebSockets to an object; they take of its memory. */
export const LIVE_LISTENERS_PER_SHARD_MAX = 10_000;
/** Who has not pinged for so long is gone, or cannot be reached: what is sent would only pile up. */
const SILENT_MS_MAX = 4 * LIVE_PING_INTERVAL_MS;

/**
 * Those who listen to merchants of a shard: hibernatable WebSockets, one for each event stream that an api Worker holds open. While
 * nothing happens they cost nothing: the object may leave memory, and its sockets stay (docs/decisions/0045).
 */
export class LiveListeners {
  readonly #ctx: DurableObjectState;
  readonly #state: ShardState;
  readonly #changes = new LiveChanges();
  #isPlanned = false;

  constructor(ctx: DurableObjectState, state: ShardState) {
    this.#ctx = ctx;
    this.#state = state;
    const sockets = ctx.getWebSockets();
    if (sockets.length === 0) return;
    const listeners = new Map<string, number>();
    for (const socket of sockets) {
      const [merchantId = ""] = ctx.getTags(socket);
      listeners.set(merchantId, (listeners.get(merchantId) ?? 0) + 1);
    }
    for (const [merchantId, count] of listeners) this.#changes.listen(merchantId, count);
  }

  get isListened(): boolean {
    return this.#changes.isListened;
  }

  /**
   * Subscribes to a merchant; the first message has its recent windows. `503` when there are as many as there may be; `409` while a recent window is
   * damaged, since nobody reads what the first message leaves out. Throws `DamagedWindow` when one is found to be.
   */
  accept(request: Request): Response {
    const url = new URL(request.url);
    const merchantId = url.searchParams.get("merchant") ?? "";
    if (url.pathname !== LIVE_PATH || !MERCHANT_ID_PATTERN.test(merchantId)) return new Response(null, { status: 404 });
    if (request.headers.get("Upgrade") !== "websocket") return new Response(null, { status: 426 });
    const listeners = this.#ctx.getWebSockets(merchantId).length;
    if (listeners >= LIVE_LISTENERS_PER_MERCHANT_MAX) return full(`merchant ${merchantId}`);
    if (this.#ctx.getWebSockets().length >= LIVE_LISTENERS_PER_SHARD_MAX) return full("the shard");
    const nowMs = Date.now();
    const fromMs = liveFromMs(nowMs);
    const isRecent = (startMs: number) => startMs >= fromMs;
    if ([...this.#state.damaged.keys()].some(isRecent)) return new Response(null, { status: 409 });
    const windows = this.#windowsOf(merchantId, [...this.#state.slices.keys()].filter(isRecent));
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(LIVE_PING, LIVE_PONG));
    this.#ctx.acceptWebSocket(server, [merchantId]);
    server.serializeAttachment({ acceptedMs: nowMs });
    this.#changes.listen(merchantId, listeners + 1);
    server.send(encodeLiveMessage({ asOfMs: nowMs, windows, corrected: false }));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A listener has left. */
  leave(socket: WebSocket): void {
    const [merchantId] = this.#ctx.getTags(socket);
    if (merchantId === undefined) return;
    const others = this.#ctx.getWebSockets(merchantId).filter((other) => other !== socket);
    this.#changes.listen(merchantId, others.length);
    // The other half of closing.
    socket.close();
  }

  /** To be called, when `isListened`, with each batch that was counted. */
  noteBatch(batch: EventBatch): void {
    this.#changes.noteBatch(batch);
    this.#plan();
  }

  /** Windows have been rebuilt. */
  noteWindows(startsMs: Iterable<number>): void {
    this.#changes.noteWindows(startsMs);
    this.#plan();
  }

  /** The object does not hibernate while a push is planned, so what was noted is not lost. */
  #plan(): void {
    const waitMs = this.#isPlanned ? undefined : this.#changes.waitMs(Date.now());
    if (waitMs === undefined) return;
    this.#isPlanned = true;
    setTimeout(() => {
      this.#isPlanned = false;
      this.#push(Date.now());
    }, waitMs);
  }

  #push(nowMs: number): void {
    for (const [merchantId, starts] of this.#changes.take(nowMs)) {
      const sockets = this.#ctx.getWebSockets(merchantId);
      if (sockets.length === 0) continue;
      const message = this.#messageOf(merchantId, starts, nowMs);
      for (const socket of sockets) this.#send(socket, message, nowMs);
    }
  }

  #send(socket: WebSocket, message: string, nowMs: number): void {
    const heardMs = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? acceptedMs(socket);
    try {
      if (nowMs - heardMs > SILENT_MS_MAX) socket.close(1001, "silent for too long");
      else socket.send(message);
    } catch {
      // It is closing; the runtime says so by itself.
    }
  }

  /** Of the windows named those that are recent and can be read; that there are others. */
  #messageOf(merchantId: string, starts: ReadonlySet<number>, nowMs: number): string {
    const fromMs = liveFromMs(nowMs);
    const recent = [...starts].filter((startMs) => startMs >= fromMs);
    try {
      const windows = this.#windowsOf(merchantId, recent);
      return encodeLiveMessage({ asOfMs: nowMs, windows, corrected: recent.length < starts.size });
    } catch (error) {
      // Found out, and rebuilt, by whoever counts or reads next; the listener is told to read.
      if (!(error instanceof DamagedWindow)) throw error;
      return encodeLiveMessage({ asOfMs: nowMs, windows: [], corrected: true });
    }
  }

  #windowsOf(merchantId: string, starts: readonly number[]): MerchantWindow[] {
    const slices = [...starts].sort((a, b) => a - b).flatMap((startMs) => this.#state.slices.get(startMs) ?? []);
    return windowsOfMerchant(slices, merchantId);
  }
}

function acceptedMs(socket: WebSocket): number {
  const attachment = socket.deserializeAttachment() as { readonly acceptedMs: number } | null;
  return attachment?.acceptedMs ?? 0;
}

function full(what: string): Response {
  log("warn", "too many live listeners", { of: what });
  return new Response(null, { status: 503 });
}
