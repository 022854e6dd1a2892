import type { LiveMessage } from "../../../shared/messages/live.ts";
import { WINDOW_MS, windowStart } from "../../../shared/window.ts";
import { loadReadTopology } from "../../directory/topology.ts";
import { log } from "../../log.ts";
import type { Env } from "../env.ts";
import { HistoryUnavailable } from "../history.ts";
import { ownersOf, ShardUnavailable } from "../hot-windows.ts";
import { readRange } from "../read-range.ts";
import { EventStream } from "./event-stream.ts";
import { type LiveSubject, presentSnapshot, presentTodayUpdate, presentWindowUpdate } from "./present-live.ts";
import { LiveSubscription } from "./subscription.ts";
import { LiveView, nextTurnMs } from "./view.ts";

/** A comment, so that nothing on the way takes the stream for dead; proxies wait for half a minute at the least. */
export const HEARTBEAT_MS = 20_000;
/** Whether the key still reads the merchant, and which shards are its own, is looked at so often. */
export const RECHECK_MS = 60_000;
/** What came late is read again this often at most: everything of the day before the last minutes. */
export const REREAD_MS = 5_000;
/** Then the reader comes again, which costs a request: of what one may ask for, a stream must not ask for too much. */
export const STREAM_MS_MAX = 30 * 60_000;

export interface LiveSessionOptions {
  readonly env: Env;
  readonly subject: LiveSubject;
  readonly lastEventId: string | undefined;
  /** After so long the reader is to come again, when the stream has ended. */
  readonly retryMs: number;
  readonly isAdmitted: () => Promise<boolean>;
  /** Called now and then while the stream is there. */
  readonly onAlive: (nowMs: number) => void;
  readonly onEnd: () => void;
}

/** One event stream: what shards tell becomes events, until the reader leaves, or has to come again. */
export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #view: LiveView;
  readonly #stream: EventStream;
  readonly #startedMs: number;
  #subscriptions: LiveSubscription[] = [];
  #shards = "";
  #timer: ReturnType<typeof setTimeout> | null = null;
  #beatMs: number;
  #checkedMs: number;
  #readMs = 0;
  #isReading = false;
  #isLive = false;
  #isEnded = false;

  private constructor(options: LiveSessionOptions, nowMs: number) {
    this.#options = options;
    this.#view = new LiveView(options.subject.zone, options.subject.currencies, nowMs);
    this.#stream = new EventStream(
      () => this.#view.id(Date.now()),
      () => this.#ended(),
    );
    this.#startedMs = nowMs;
    this.#beatMs = nowMs;
    this.#checkedMs = nowMs;
  }

  /** Begins a stream; everything it needs has answered once. Throws `TooManyListeners`, `ShardUnavailable` and `HistoryUnavailable`. */
  static async begin(options: LiveSessionOptions): Promise<ReadableStream<Uint8Array>> {
    const session = new LiveSession(options, Date.now());
    try {
      await session.#subscribe();
      await session.#read();
    } catch (error) {
      session.end();
      throw error;
    }
    session.#greet(Date.now());
    return session.#stream.body;
  }

  end(): void {
    this.#stream.end();
    this.#ended();
  }

  async #subscribe(): Promise<void> {
    const { env, subject } = this.#options;
    const shards = await this.#ownShards();
    this.#shards = shards.join();
    const open = (shard: string) =>
      LiveSubscription.open(
        env,
        shard,
        subject.merchantId,
        (message) => this.#take(message),
        () => this.end(),
      );
    const opened = await Promise.allSettled(shards.map(open));
    this.#subscriptions = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    for (const one of opened) if (one.status === "rejected") throw one.reason;
  }

  /** Those that count the merchant's events of today: one, unless the topology has changed since it began. */
  async #ownShards(): Promise<string[]> {
    const { env, subject } = this.#options;
    const nowMs = Date.now();
    const topology = await loadReadTopology(env.DIRECTORY, nowMs);
    const aheadMs = windowStart(nowMs) + 2 * WINDOW_MS;
    const parts = ownersOf(topology, subject.merchantId, this.#view.dayMs, aheadMs);
    return [...new Set(parts.map(({ shard }) => shard))];
  }

  #greet(nowMs: number): void {
    this.#isLive = true;
    const { lastEventId, retryMs, subject } = this.#options;
    this.#view.turn(nowMs);
    const isKnown = lastEventId === this.#view.id(nowMs);
    this.#stream.note(`retry: ${retryMs}${isKnown ? "\n: nothing has changed" : ""}`, nowMs);
    if (!isKnown) {
      const data = () => presentSnapshot(subject, this.#view, Date.now());
      this.#stream.offer("snapshot", { name: "snapshot", data }, nowMs);
    }
    this.#arm(nowMs);
  }

  #take(message: LiveMessage): void {
    const changed = this.#view.take(message);
    if (!this.#isLive) return;
    const nowMs = Date.now();
    for (const startMs of changed) this.#offerWindow(startMs, nowMs);
    if (this.#view.isStale) this.#arm(nowMs);
  }

  #offerWindow(startMs: number, nowMs: number): void {
    const { subject } = this.#options;
    const data = () => presentWindowUpdate(subject, this.#view, startMs, Date.now());
    this.#stream.offer(String(startMs), { name: "window", data }, nowMs);
  }

  #offerToday(nowMs: number): void {
    const data = () => presentTodayUpdate(this.#options.subject, this.#view, Date.now());
    this.#stream.offer("today", { name: "today", data }, nowMs);
  }

  /** One timer: for the next comment, what the clock changes next, or what has to be read again. */
  #arm(nowMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isEnded) return;
    const rereadMs = this.#view.isStale && !this.#isReading ? this.#readMs + REREAD_MS : Number.POSITIVE_INFINITY;
    const dueMs = Math.min(this.#beatMs + HEARTBEAT_MS, nextTurnMs(nowMs), rereadMs);
    this.#timer = setTimeout(() => this.#wake(Date.now()), Math.max(0, dueMs - nowMs));
  }

  #wake(nowMs: number): void {
    if (this.#isEnded) return;
    const isOver = nowMs - this.#startedMs > STREAM_MS_MAX || this.#stream.isStalled(nowMs);
    if (isOver || !this.#subscriptions.every((subscription) => subscription.isAlive(nowMs))) {
      this.end();
      return;
    }
    this.#options.onAlive(nowMs);
    const { windows, isNewDay } = this.#view.turn(nowMs);
    for (const startMs of windows) this.#offerWindow(startMs, nowMs);
    if (isNewDay) this.#offerToday(nowMs);
    if (this.#view.isStale && !this.#isReading && nowMs - this.#readMs >= REREAD_MS) void this.#reread();
    if (nowMs - this.#checkedMs >= RECHECK_MS) void this.#recheck(nowMs);
    if (nowMs - this.#beatMs >= HEARTBEAT_MS) {
      this.#beatMs = nowMs;
      this.#stream.note(":", nowMs);
    }
    this.#arm(nowMs);
  }

  /** What is before the windows that shards tell of. */
  async #read(): Promise<void> {
    const { env, subject } = this.#options;
    const span = this.#view.beginReading();
    this.#readMs = Date.now();
    const { fromMs, toMs } = span;
    if (fromMs === toMs) {
      this.#view.setEarlier(span, new Map());
      return;
    }
    const query = { ...subject, fromMs, toMs, boundsMs: [fromMs] };
    const { currencies } = await readRange(env, query, Date.now());
    const reports = [...currencies].flatMap(([currency, buckets]) => {
      const bucket = buckets.get(fromMs);
      return bucket === undefined ? [] : [[currency, bucket] as const];
    });
    this.#view.setEarlier(span, new Map(reports));
  }

  async #reread(): Promise<void> {
    this.#isReading = true;
    try {
      await this.#read();
      if (!this.#isEnded) this.#offerToday(Date.now());
    } catch (error) {
      this.#view.failReading();
      if (error instanceof HistoryUnavailable || error instanceof ShardUnavailable) return;
      log("error", "live reading failed", { error });
      this.end();
    } finally {
      this.#isReading = false;
      this.#arm(Date.now());
    }
  }

  /** The key may have been revoked, and another shard may count the merchant now: the reader comes again, and is judged anew. */
  async #recheck(nowMs: number): Promise<void> {
    this.#checkedMs = nowMs;
    try {
      const [isAdmitted, shards] = await Promise.all([this.#options.isAdmitted(), this.#ownShards()]);
      if (!isAdmitted || shards.join() !== this.#shards) this.end();
    } catch (error) {
      // The directory is away: what was known a minute ago serves for another.
      log("warn", "live stream not checked", { error });
    }
  }

  #ended(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.close();
    this.#options.onEnd();
  }
}
