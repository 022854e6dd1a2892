import type { PaymentEvent } from "./event.ts";

/** An event as it will be sent, whatever becomes of the object it was. */
export interface Line {
  readonly event: PaymentEvent;
  /** Its JSON and a newline, in UTF-8. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface BatchLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** Lines that go out in one request. An event larger than the limit of bytes is a batch by itself. */
export class Batch {
  readonly lines: Line[] = [];
  #bytes = 0;
  readonly #limits: BatchLimits;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  hasRoomFor({ bytes }: Line): boolean {
    return this.lines.length === 0 || (!this.isFull && this.#bytes + bytes.length <= this.#limits.bytesMax);
  }

  get isFull(): boolean {
    return this.lines.length >= this.#limits.eventsMax || this.#bytes >= this.#limits.bytesMax;
  }

  add(line: Line): void {
    this.lines.push(line);
    this.#bytes += line.bytes.length;
  }

  /** The body of the request: NDJSON. */
  body(): Uint8Array<ArrayBuffer> {
    const body = new Uint8Array(this.#bytes);
    let at = 0;
    for (const { bytes } of this.lines) {
      body.set(bytes, at);
      at += bytes.length;
    }
    return body;
  }
}
