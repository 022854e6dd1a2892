/**
 * Byte arrays one after another: how many, the length of each, then each from a multiple of eight on, so that numbers of any width can be
 * read in place. Numbers are little-endian, as on every machine the runtime knows.
 */
export function joinSections(sections: readonly ArrayBufferView[]): Uint8Array<ArrayBuffer> {
  const headerBytes = aligned(4 + 4 * sections.length);
  const total = sections.reduce((sum, { byteLength }) => sum + aligned(byteLength), headerBytes);
  const bytes = new Uint8Array(total);
  const header = new Uint32Array(bytes.buffer, 0, 1 + sections.length);
  header[0] = sections.length;
  let at = headerBytes;
  sections.forEach((section, index) => {
    header[1 + index] = section.byteLength;
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at);
    at += aligned(section.byteLength);
  });
  return bytes;
}

/** Reads sections back in the order they were joined. Every read throws when the bytes are not that long. */
export class SectionReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #lengths: Uint32Array;
  #index = 0;
  #at: number;

  /** `bytes` must start at a multiple of eight in its buffer. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    const count = new Uint32Array(bytes.buffer, bytes.byteOffset, 1)[0] ?? 0;
    this.#lengths = new Uint32Array(bytes.buffer, bytes.byteOffset + 4, count);
    this.#at = aligned(4 + 4 * count);
  }

  /** The next section, as a copy with a buffer of its own. */
  bytes(): Uint8Array<ArrayBuffer> {
    const at = this.#at;
    return this.#bytes.slice(at, at + this.skip());
  }

  /** Passes over the next section; answers its length. */
  skip(): number {
    const length = this.#lengths[this.#index];
    if (length === undefined || this.#at + length > this.#bytes.byteLength) throw new Error("a section is missing");
    this.#index += 1;
    this.#at += aligned(length);
    return length;
  }

  uint8(): Uint8Array<ArrayBuffer> {
    return this.bytes();
  }

  uint16(): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.bytes().buffer);
  }

  uint32(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.bytes().buffer);
  }

  float64(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.bytes().buffer);
  }

  json(): unknown {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes()));
  }
}

export function jsonSection(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const aligned = (length: number) => Math.ceil(length / 8) * 8;
