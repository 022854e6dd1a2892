import { sleep } from "./backoff.ts";
import { Batch, type Line } from "./batch.ts";
import type { NewPaymentEvent, PaymentEvent } from "./event.ts";
import { gzip } from "./gzip.ts";
import { eventsUrl, type PostDeps, type PostOutcome, type PostTarget, postBatch } from "./post-events.ts";
import type { Receipt, ReceiptError } from "./receipt.ts";

/** What a batch ends with that no receipt speaks of. Its events may be sent again: what was counted after all is a duplicate. */
export type SendFailure = Exclude<PostOutcome, { reason: "answered" }>;

export interface SenderOptions extends PostTarget {
  /** Events a request, at most (1,000; the server takes 10,000). */
  batchEventsMax?: number;
  /** Bytes a request, at most, before compression (1 MB; the server takes 10 MB). */
  batchBytesMax?: number;
  /** How long an event waits for others to share its request with (1 s). */
  batchAgeMsMax?: number;
  /** Events that are held, waiting or under way, before `send` makes its caller wait (10,000). */
  heldEventsMax?: number;
  /** Requests at a time (4). */
  requestsMax?: number;
  /** Whether requests are compressed (they are). */
  gzip?: boolean;
  /** Tries of a request, the first included (8, over about a minute). */
  attemptsMax?: number;
  /** A request was answered: what became of its events, in their order. */
  onReceipt?: (receipt: Receipt, events: readonly PaymentEvent[]) => void;
  /** An event was rejected, or, with the code `conflict`, is a duplicate of one that says something else. */
  onEventError?: (event: PaymentEvent, error: ReceiptError) => void;
  /** A request was given up. Nobody knows of its events whether they were counted. */
  onFailure?: (failure: SendFailure, events: readonly PaymentEvent[]) => void;
  onRetry?: PostDeps["onRetry"];
  /** Ends all at once: no try is begun any more, those under way are cut off. */
  signal?: AbortSignal;
  /** What `fetch`, the clock and chance are; the platform's unless a test says otherwise. */
  deps?: Partial<Pick<PostDeps, "fetch" | "sleep" | "random">>;
}

/** Sums over everything that was sent. */
export type SenderTotals = Omit<Receipt, "errors"> & { failed: number };

/**
 * Sends payments to Tally, many to a request. Each has its id before the first try, so that however often it has to be sent it is counted
 * once. When the server is slower than the sender, `send` waits: memory is bounded.
 */
export class TallySender {
  readonly totals: SenderTotals = { accepted: 0, duplicates: 0, late: 0, rejected: 0, queued: 0, failed: 0 };
  readonly #options: SenderOptions;
  readonly #limits: { readonly eventsMax: number; readonly bytesMax: number };
  readonly #ageMsMax: number;
  readonly #heldMax: number;
  readonly #requestsMax: number;
  readonly #deps: PostDeps;
  #open: Batch | undefined;
  #ageTimer: ReturnType<typeof setTimeout> | undefined;
  /** Batches to be sent, oldest first, and those under way. */
  readonly #ready: { readonly batch: Batch; readonly end: () => void }[] = [];
  readonly #unfinished = new Set<Promise<void>>();
  #underWay = 0;
  #held = 0;
  /** Those who wait for a place, in their order; to be called with the place theirs. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  /** Throws a `RangeError` when the URL is none. */
  constructor(options: SenderOptions) {
    eventsUrl(options.url);
    this.#options = options;
    this.#limits = { eventsMax: options.batchEventsMax ?? 1_000, bytesMax: options.batchBytesMax ?? 1_000_000 };
    this.#ageMsMax = options.batchAgeMsMax ?? 1_000;
    this.#heldMax = options.heldEventsMax ?? 10_000;
    this.#requestsMax = options.requestsMax ?? 4;
    const { attemptsMax, onRetry, signal } = options;
    this.#deps = {
      fetch: globalThis.fetch,
      sleep,
      random: Math.random,
      ...options.deps,
      ...(attemptsMax === undefined ? {} : { attemptsMax }),
      ...(onRetry === undefined ? {} : { onRetry }),
      ...(signal === undefined ? {} : { stop: signal, abort: signal }),
    };
  }

  /** Events that are waiting or under way. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes an event; resolves with its id once there is room for it, which is at once as a rule. What becomes of it is for the callbacks to
   * tell. Rejects after `close`.
   */
  async send(event: NewPaymentEvent): Promise<string> {
    if (this.#isClosed) throw new Error("the sender is closed");
    const line = lineOf(event);
    if (this.#held < this.#heldMax) this.#held += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#add(line);
    return line.event.event_id;
  }

  /** Sends what has been taken, without waiting for more to share its requests; resolves when all of it has come to an end. */
  async flush(): Promise<void> {
    this.#cut();
    await Promise.all(this.#unfinished);
  }

  /** Takes nothing more, and sends the rest; resolves with the sums. */
  async close(): Promise<SenderTotals> {
    this.#isClosed = true;
    while (this.#held > 0) await this.flush();
    return this.totals;
  }

  #add(line: Line): void {
    if (this.#open?.hasRoomFor(line) === false) this.#cut();
    if (this.#open === undefined) {
      this.#open = new Batch(this.#limits);
      this.#ageTimer = setTimeout(() => this.#cut(), this.#ageMsMax);
    }
    this.#open.add(line);
    if (this.#open.isFull) this.#cut();
  }

  /** Ends the open batch: it is sent next. */
  #cut(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    clearTimeout(this.#ageTimer);
    this.#open = undefined;
    const ended = new Promise<void>((resolve) => {
      const end = () => {
        this.#unfinished.delete(ended);
        resolve();
      };
      this.#ready.push({ batch, end });
    });
    this.#unfinished.add(ended);
    this.#begin();
  }

  #begin(): void {
    while (this.#underWay < this.#requestsMax) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      this.#underWay += 1;
      void this.#run(next);
    }
  }

  /** Only a callback that throws makes it reject, which is its author's to hear of. */
  async #run({ batch, end }: { readonly batch: Batch; readonly end: () => void }): Promise<void> {
    try {
      await this.#post(batch);
    } finally {
      this.#underWay -= 1;
      this.#release(batch.lines.length);
      end();
      this.#begin();
    }
  }

  async #post(batch: Batch): Promise<void> {
    const isGzip = this.#options.gzip ?? true;
    const body = batch.body();
    const bytes = isGzip ? await gzip(body) : body;
    const outcome = await postBatch(this.#options, { bytes, gzip: isGzip }, this.#deps);
    const events = batch.lines.map(({ event }) => event);
    if (outcome.reason === "answered") this.#tell(outcome.receipt, events);
    else {
      this.totals.failed += events.length;
      this.#options.onFailure?.(outcome, events);
    }
  }

  #tell(receipt: Receipt, events: readonly PaymentEvent[]): void {
    for (const name of ["accepted", "duplicates", "late", "rejected", "queued"] as const) {
      this.totals[name] += receipt[name];
    }
    this.#options.onReceipt?.(receipt, events);
    for (const error of receipt.errors) {
      const event = events[error.index];
      if (event !== undefined) this.#options.onEventError?.(event, error);
    }
  }

  /** Hands the places of a batch to those who wait, the first first. */
  #release(places: number): void {
    this.#held -= places;
    while (this.#held < this.#heldMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#held += 1;
      next();
    }
  }
}

const encoder = new TextEncoder();

function lineOf(sent: NewPaymentEvent): Line {
  const event = { ...sent, event_id: sent.event_id ?? crypto.randomUUID() };
  return { event, bytes: encoder.encode(`${JSON.stringify(event)}\n`) };
}
