import { gunzipSync } from "node:zlib";
import { type Distance, farCall } from "./far-call.ts";
import type { Sent } from "./traffic.ts";

const EVENTS = "raw/v1/";
/** R2's own limit of one listing. */
const LIST_MAX = 1_000;

/** R2: objects by key, overwritten whole. */
export class SimulatedArchive {
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #distance: Distance;
  /** Lines of the events in it, by `lineOf`, and the keys of what is not among them yet. */
  readonly #lines = new Set<string>();
  #unindexed: string[] = [];

  constructor(distance: Distance) {
    this.#distance = distance;
  }

  binding(): R2Bucket {
    const bucket = {
      put: (key: string, value: Uint8Array) => {
        const bytes = Uint8Array.from(value);
        return this.#call(() => {
          this.#objects.set(key, bytes);
          if (key.startsWith(EVENTS)) this.#unindexed.push(key);
          return { key, size: bytes.byteLength };
        });
      },
      get: (key: string) => this.#call(() => this.#objectOf(key)),
      head: (key: string) => this.#call(() => this.#objectOf(key)),
      list: ({ prefix = "", limit = LIST_MAX, startAfter = "" }: R2ListOptions = {}) =>
        this.#call(() => {
          const keys = this.keys(prefix).filter((key) => key > startAfter);
          const objects = keys.slice(0, limit).map((key) => ({ key, size: this.#objects.get(key)?.byteLength ?? 0 }));
          return { objects, truncated: keys.length > limit };
        }),
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

  /** Whether an event has its line there, exactly as it was sent. */
  hasLine({ body }: Sent): boolean {
    for (const key of this.#unindexed) for (const line of this.lines(key)) this.#lines.add(lineOf(line));
    this.#unindexed = [];
    return this.#lines.has(lineOf(body));
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

function lineOf(event: Readonly<Record<string, unknown>> | Sent["body"]): string {
  const { merchant_id, event_id, occurred_at, amount } = event;
  return `${String(merchant_id)} ${String(event_id)} ${String(occurred_at)} ${String(amount)}`;
}
