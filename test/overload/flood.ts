import { sleep } from "../../scripts/sleep.ts";
import { Connection } from "./connection.ts";
import type { NumberedBatch } from "./numbered-batch.ts";

/** What became of the requests of a time. */
export interface FloodCount {
  /** 200 or 202: each of these batches has to be counted. */
  accepted: number;
  /** Of those, the ones that were counted before they were answered. */
  direct: number;
  /** 429 or 503, both with `Retry-After`. */
  refused: number;
  /** Any other answer, or a refusal without `Retry-After`: none is right. */
  wrong: number;
  /** No answer: nobody knows whether they are counted. */
  unanswered: number;
  /** Due, and not sent, since every connection was waiting for an answer. */
  unsent: number;
  /** Milliseconds from the first byte written on a connection that stands until the head of the answer is there. */
  readonly acceptedMs: number[];
  readonly refusedMs: number[];
}

export const newCount = (): FloodCount => ({
  accepted: 0,
  direct: 0,
  refused: 0,
  wrong: 0,
  unanswered: 0,
  unsent: 0,
  acceptedMs: [],
  refusedMs: [],
});

export interface FloodTarget {
  readonly url: string;
  readonly key: string;
}

/** Requests are sent out in groups this often. */
const TICK_MS = 5;
const ANSWER_MS_MAX = 30_000;

/** A connection, and the body that goes out on it. */
interface Line {
  readonly connection: Connection;
  readonly body: Buffer;
}

/** Sends numbered batches, never one number twice. */
export class Flood {
  readonly #url: URL;
  readonly #head: string;
  readonly #batch: NumberedBatch;
  readonly #connectionsMax: number;
  readonly #idle: Line[] = [];
  #number = 0;
  #lines = 0;

  constructor({ url, key }: FloodTarget, batch: NumberedBatch, connectionsMax: number) {
    this.#url = new URL(url);
    this.#batch = batch;
    this.#connectionsMax = connectionsMax;
    this.#head = [
      "POST /v1/events HTTP/1.1",
      `Host: ${this.#url.host}`,
      `Authorization: Bearer ${key}`,
      "Content-Type: application/x-ndjson",
      `Content-Length: ${batch.bytes}`,
      "\r\n",
    ].join("\r\n");
  }

  /** One request after the other on each of so many connections, for so long: what the system answers by itself. */
  async closedLoop(connections: number, durationMs: number): Promise<FloodCount> {
    const count = newCount();
    const endMs = performance.now() + durationMs;
    const loop = async () => {
      while (performance.now() < endMs) await this.post(count);
    };
    await Promise.all(Array.from({ length: connections }, loop));
    return count;
  }

  /** So many requests a second, whatever becomes of them, for so long; resolves when the last of them is answered. */
  async openLoop(perSecond: number, durationMs: number): Promise<FloodCount> {
    const count = newCount();
    const startMs = performance.now();
    let due = 0;
    for (let passedMs = 0; passedMs < durationMs; passedMs = performance.now() - startMs) {
      for (const dueNow = Math.floor((passedMs * perSecond) / 1000); due < dueNow; due += 1) {
        if (this.#idle.length > 0 || this.#lines < this.#connectionsMax) void this.post(count);
        else count.unsent += 1;
      }
      await sleep(TICK_MS);
    }
    while (this.#idle.length < this.#lines) await sleep(TICK_MS);
    return count;
  }

  /** Sends the next batch; never rejects. */
  async post(count: FloodCount): Promise<void> {
    const line = this.#idle.pop() ?? this.#newLine();
    this.#batch.number(line.body, this.#number++);
    const answer = await line.connection.exchange(this.#head, line.body);
    this.#idle.push(line);
    if (answer === undefined) count.unanswered += 1;
    else if (answer.status === 200 || answer.status === 202) {
      count.accepted += 1;
      count.direct += answer.status === 200 ? 1 : 0;
      count.acceptedMs.push(answer.tookMs);
    } else if ((answer.status === 429 || answer.status === 503) && answer.hasRetryAfter) {
      count.refused += 1;
      count.refusedMs.push(answer.tookMs);
    } else count.wrong += 1;
  }

  /** When nothing is under way. */
  close(): void {
    for (const { connection } of this.#idle) connection.close();
  }

  #newLine(): Line {
    this.#lines += 1;
    return { connection: new Connection(this.#url, ANSWER_MS_MAX), body: this.#batch.body(0) };
  }
}

/** The middle one, or another share, of unsorted numbers; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
