/** What a reader that does not read is given until the stream is ended. */
export const STALLED_MS_MAX = 60_000;

/** An event of a stream; its data is made when it can be written, of what is so then. */
export interface StreamEvent {
  readonly name: string;
  readonly data: () => unknown;
}

/**
 * Server-sent events that never pile up: one write is under way at most, and of what is offered meanwhile the latest of each key waits.
 * `idNow` gives the id of the state that all events written so far have told.
 */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #idNow: () => string;
  readonly #onEnd: () => void;
  readonly #waiting = new Map<string, StreamEvent>();
  #writingSinceMs: number | undefined;
  #isEnded = false;

  constructor(idNow: () => string, onEnd: () => void) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.body = readable;
    this.#writer = writable.getWriter();
    this.#idNow = idNow;
    this.#onEnd = onEnd;
    this.#writer.closed.then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  /** Takes the place of what was offered under the key and is not written yet. */
  offer(key: string, event: StreamEvent, nowMs: number): void {
    if (this.#isEnded) return;
    this.#waiting.set(key, event);
    if (this.#writingSinceMs === undefined) this.#writeWaiting(nowMs);
  }

  /** A field that is no event, or a comment; left out while the reader is behind. */
  note(line: string, nowMs: number): void {
    if (!this.#isEnded && this.#writingSinceMs === undefined) this.#write(`${line}\n\n`, nowMs);
  }

  /** True when the reader has taken nothing for too long. */
  isStalled(nowMs: number): boolean {
    return this.#writingSinceMs !== undefined && nowMs - this.#writingSinceMs > STALLED_MS_MAX;
  }

  /** Ends it; what waits is not written any more: whoever comes again gets a snapshot. */
  end(): void {
    if (this.#isEnded) return;
    this.#end();
    if (this.#writingSinceMs === undefined) this.#writer.close().catch(() => {});
    else this.#writer.abort().catch(() => {});
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#waiting.clear();
    this.#onEnd();
  }

  #writeWaiting(nowMs: number): void {
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    const texts = events.map(({ name, data }) => `event: ${name}\ndata: ${JSON.stringify(data())}\n`);
    // With the last one alone: whoever was cut off before it has not been told all of that state.
    this.#write(`${texts.join("\n")}id: ${this.#idNow()}\n\n`, nowMs);
  }

  #write(text: string, nowMs: number): void {
    this.#writingSinceMs = nowMs;
    this.#writer.write(encoder.encode(text)).then(
      () => {
        this.#writingSinceMs = undefined;
        if (this.#waiting.size > 0) this.#writeWaiting(Date.now());
      },
      () => this.#end(),
    );
  }
}

const encoder = new TextEncoder();
