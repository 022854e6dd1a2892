import { gunzipSync } from "node:zlib";
import { type Distance, farCall } from "./far-call.ts";

/** R2: objects by key, overwritten whole. */
export class SimulatedArchive {
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #distance: Distance;

  constructor(distance: Distance) {
    this.#distance = distance;
  }

  binding(): R2Bucket {
    const bucket = {
      put: (key: string, value: Uint8Array) => {
        const bytes = Uint8Array.from(value);
        return this.#call(() => {
          this.#objects.set(key, bytes);
          return { key, size: bytes.byteLength };
        });
      },
      get: (key: string) => this.#call(() => this.#objectOf(key)),
      head: (key: string) => this.#call(() => this.#objectOf(key)),
      list: ({ prefix = "" }: { readonly prefix?: string } = {}) =>
        this.#call(() => ({ objects: this.keys(prefix).map((key) => ({ key })), truncated: false })),
    };
    return bucket as unknown as R2Bucket;
  }

  keys(prefix: string): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  bytes(key: string): Uint8Array | undefined {
    return this.#objects.get(key);
  }

  /** The lines of an object of events, for checks. */
  lines(key: string): Record<string, unknown>[] {
    const text = gunzipSync(this.#objects.get(key) ?? new Uint8Array()).toString();
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  #objectOf(key: string): object | null {
    const bytes = this.#objects.get(key);
    if (bytes === undefined) return null;
    const copy = () => Uint8Array.from(bytes);
    return {
      key,
      size: bytes.byteLength,
      arrayBuffer: async () => copy().buffer,
      bytes: async () => copy(),
      text: async () => new TextDecoder().decode(bytes),
      get body() {
        return new Response(copy()).body;
      },
    };
  }

  #call<T>(work: () => T): Promise<T> {
    return farCall(this.#distance, "archive", work);
  }
}
