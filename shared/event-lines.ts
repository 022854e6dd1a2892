import type { PaymentEvent } from "./event.ts";
import { roomFor } from "./growing.ts";
import { keepCompiled } from "./keep-compiled.ts";

/** What every line of a request says besides the event. */
export interface Provenance {
  /** The request. */
  readonly batch: string;
  readonly source: string;
  readonly receivedAtMs: number;
}

/** Accepted events as they will stand in the archive: UTF-8, one JSON object a line, one after another. */
export class EventLines {
  #bytes: Uint8Array<ArrayBuffer>;
  #ends: Uint32Array<ArrayBuffer>;
  #size = 0;
  #at = 0;
  /** What ends each line. */
  readonly #suffix: Uint8Array;

  /** With room for so many bytes, as guessed: growing means copying. */
  constructor({ batch, source, receivedAtMs }: Provenance, roomBytes = 0) {
    this.#bytes = takeBuffer(roomBytes);
    this.#ends = new Uint32Array(Math.ceil(roomBytes / EVENT_BYTES_TYPICAL));
    const said = JSON.stringify({ received_at: receivedAtMs, source, batch });
    this.#suffix = encoder.encode(`,${said.slice(1)}\n`);
  }

  get size(): number {
    return this.#size;
  }

  begin(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  end(index: number): number {
    return this.#ends[index] ?? 0;
  }

  /** The lines from the one at `from` up to the one before `to`; valid until a line is added. */
  view(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.begin(from), to === 0 ? 0 : this.end(to - 1));
  }

  /** One line as the event it was made of; nothing of the provenance is in the type. */
  event(index: number): PaymentEvent {
    return JSON.parse(decoder.decode(this.view(index, index + 1)));
  }

  add(event: PaymentEvent): void {
    const utf8 = encoder.encode(JSON.stringify(event));
    this.open(utf8.length);
    this.copy(utf8, 0, utf8.length - 1);
    this.close();
  }

  /** Begins a line that will take up to `bytesMax` before what ends it. */
  open(bytesMax: number): void {
    const needed = this.#at + bytesMax + this.#suffix.length;
    // Doubled, not grown by a third: the buffer lives for one request, and is large.
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.max(needed, 2 * this.#bytes.length));
    this.#ends = roomFor(this.#ends, this.#size + 1);
  }

  copy(source: Uint8Array, from: number, to: number): void {
    // From here on a copy by the runtime is faster than a loop, even with the view it takes.
    if (to - from > LOOPED_BYTES_MAX) {
      this.#bytes.set(source.subarray(from, to), this.#at);
      this.#at += to - from;
      return;
    }
    const into = this.#bytes; // locals, because a field is read anew at every byte
    let at = this.#at;
    for (let i = from; i < to; i++) into[at++] = source[i] as number;
    this.#at = at;
  }

  put(source: Uint8Array): void {
    this.copy(source, 0, source.length);
  }

  /** A 32-bit number as eight hexadecimal digits. */
  putHex(word: number): void {
    for (let shift = 28; shift >= 0; shift -= 4) this.#bytes[this.#at++] = HEX[(word >>> shift) & 15] as number;
  }

  /** Gives the room to whoever comes next; there are no lines any more. */
  release(): void {
    if (this.#bytes.length > 0) keepBuffer(this.#bytes);
    this.#bytes = new Uint8Array(0);
    this.#size = 0;
    this.#at = 0;
  }

  /** Ends the line, of which the object's closing brace is still missing. */
  close(): void {
    this.#bytes.set(this.#suffix, this.#at);
    this.#at += this.#suffix.length;
    this.#ends[this.#size++] = this.#at;
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

/**
 * Half a megabyte for each request is most of what an isolate would allocate, clear and collect: buffers are kept from request to request,
 * as many as there are requests under way at a time, and of so many bytes together.
 */
const SPARE_BYTES_MAX = 8_000_000;
const spares: Uint8Array<ArrayBuffer>[] = [];
let spareBytes = 0;

function takeBuffer(bytesMin: number): Uint8Array<ArrayBuffer> {
  const at = spares.findLastIndex(({ length }) => length >= bytesMin);
  const [spare] = at < 0 ? [] : spares.splice(at, 1);
  spareBytes -= spare?.length ?? 0;
  return spare ?? new Uint8Array(bytesMin);
}

/** The oldest ones go when there are too many; one too large by itself is not kept. */
function keepBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.length > SPARE_BYTES_MAX) return;
  spares.push(buffer);
  spareBytes += buffer.length;
  while (spareBytes > SPARE_BYTES_MAX) spareBytes -= spares.shift()?.length ?? 0;
}

const LOOPED_BYTES_MAX = 96;
/** A line with everything in it that is counted. */
const EVENT_BYTES_TYPICAL = 400;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const HEX = encoder.encode("0123456789abcdef");

keepCompiled(new EventLines({ batch: "", source: "", receivedAtMs: 0 }));
