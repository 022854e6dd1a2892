import { z } from "zod";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { cpuTimeUs } from "./cpu.ts";
import { type Answer, sendAllBodies } from "./send.ts";

/**
 * Events a request, of how many of the asked-for events a run is, and in which rounds: small requests cost so much more that fewer will do, and
 * no target is set for them.
 */
export const SIZES = [
  { size: 1_000, share: 1, every: 1 },
  { size: 100, share: 1 / 8, every: 3 },
  { size: 1, share: 1 / 80, every: 3 },
] as const;

const CONNECTIONS = 4;
const WARM_UP_ROUNDS = 8;

/** CPU µs for each event, of one run of each kind at one size. */
export interface Sample {
  readonly size: number;
  readonly events: number;
  readonly bytesPerEvent: number;
  readonly floorZlibUs: number;
  readonly floorStreamUs: number;
  readonly syncUs: number;
  readonly asyncUs: number;
  /** Wall time of the two runs up to the last answer, and up to the last acknowledgement. */
  readonly syncAnsweredMs: number;
  readonly asyncAnsweredMs: number;
}

export interface IngestBenchDeps {
  readonly ingestUrl: string;
  readonly ingestPid: number;
  readonly sourceKey: string;
  readonly floorUrl: string;
  readonly floorPid: number;
  readonly acknowledged: Acknowledged;
  readonly nextEvent: () => PaymentEventInput;
  readonly format: Format;
}

/** How a request of several events is written: an array, or an object a line. */
export const FORMATS = { json: "application/json", ndjson: "application/x-ndjson" } as const;
export type Format = keyof typeof FORMATS;

const receiptSchema = z.object({ accepted: z.int(), queued: z.int().default(0) });

/** The runs, taken in turn so that whatever else the machine does falls on all of them alike. */
export class IngestBench {
  readonly #deps: IngestBenchDeps;
  #sent = 0;

  constructor(deps: IngestBenchDeps) {
    this.#deps = deps;
  }

  /** Rounds to warm up, until the runtime has compiled what it will, then those that count. */
  async run(rounds: number, events: number, onProgress: (line: string) => void): Promise<Sample[]> {
    const samples: Sample[] = [];
    for (let round = 1 - WARM_UP_ROUNDS; round <= rounds; round++) {
      for (const { size, share, every } of SIZES) {
        // Small requests are the same code, and few: one round of them is enough to warm up.
        const isDue = round > 0 ? (round - 1) % every === 0 : round === 0 || every === 1;
        if (!isDue) continue;
        const sample = await this.#round(size, Math.max(size, Math.round((events * share) / size) * size));
        if (round > 0) samples.push(sample);
        onProgress(`${round <= 0 ? "warm-up" : `round ${round}`}: ${lineOf(sample)}`);
      }
    }
    return samples;
  }

  async #round(size: number, events: number): Promise<Sample> {
    const syncBodies = this.#bodies(size, events);
    const asyncBodies = this.#bodies(size, events);
    const bodies = [...syncBodies, ...asyncBodies];
    const floorZlib = await this.#floor("/zlib", bodies);
    const sync = await this.#ingest(syncBodies, events, false);
    const floorStream = await this.#floor("/stream", bodies);
    const async = await this.#ingest(asyncBodies, events, true);
    return {
      size,
      events,
      bytesPerEvent: bodies.reduce((sum, { byteLength }) => sum + byteLength, 0) / (2 * events),
      floorZlibUs: floorZlib / (2 * events),
      floorStreamUs: floorStream / (2 * events),
      syncUs: sync.cpuUs / events,
      asyncUs: async.cpuUs / events,
      syncAnsweredMs: sync.answeredMs,
      asyncAnsweredMs: async.answeredMs,
    };
  }

  #bodies(size: number, events: number): Buffer[] {
    return Array.from({ length: events / size }, () => {
      const body = Array.from({ length: size }, this.#deps.nextEvent);
      return Buffer.from(this.#text(body));
    });
  }

  #text(events: readonly PaymentEventInput[]): string {
    if (this.#deps.format === "ndjson") return events.map((event) => JSON.stringify(event)).join("\n");
    return JSON.stringify(events.length === 1 ? events[0] : events);
  }

  async #floor(path: string, bodies: readonly Buffer[]): Promise<number> {
    const { floorUrl, floorPid } = this.#deps;
    const before = cpuTimeUs(floorPid);
    const target = { url: floorUrl + path, headers: { "Content-Type": FORMATS[this.#deps.format] } };
    await sendAllBodies(target, bodies, { connections: CONNECTIONS, onAnswer: (answer) => mustBe(answer, 200) });
    return cpuTimeUs(floorPid) - before;
  }

  /** CPU µs until all of it is archived and counted. */
  async #ingest(
    bodies: readonly Buffer[],
    events: number,
    isAsync: boolean,
  ): Promise<{ cpuUs: number; answeredMs: number }> {
    const { ingestUrl, ingestPid, sourceKey, acknowledged, format } = this.#deps;
    const headers = {
      Authorization: `Bearer ${sourceKey}`,
      "Content-Type": FORMATS[format],
      ...(isAsync ? { Prefer: "respond-async" } : {}),
    };
    const startMs = performance.now();
    const before = cpuTimeUs(ingestPid);
    let accepted = 0;
    const onAnswer = (answer: Answer) => {
      mustBe(answer, isAsync ? 202 : 200);
      const receipt = receiptSchema.parse(JSON.parse(answer.text));
      accepted += isAsync ? receipt.queued : receipt.accepted;
    };
    await sendAllBodies({ url: `${ingestUrl}/v1/events`, headers }, bodies, { connections: CONNECTIONS, onAnswer });
    const answeredMs = performance.now() - startMs;
    if (accepted !== events) throw new Error(`${accepted} of ${events} events accepted`);
    this.#sent += events;
    await acknowledged.reach(this.#sent);
    return { cpuUs: cpuTimeUs(ingestPid) - before, answeredMs };
  }
}

function mustBe({ status, text }: Answer, expected: number): void {
  if (status !== expected) throw new Error(`${status} where ${expected} was expected: ${text.slice(0, 500)}`);
}

function lineOf({
  size,
  events,
  floorZlibUs,
  floorStreamUs,
  syncUs,
  asyncUs,
  syncAnsweredMs,
  asyncAnsweredMs,
}: Sample): string {
  const us = (value: number) => value.toFixed(1);
  const rate = (ms: number) => Math.round(events / (ms / 1000));
  return `${size} a request: floor ${us(floorZlibUs)} (zlib) ${us(floorStreamUs)} (stream), sync ${us(syncUs)}, async ${us(asyncUs)} µs/event; ${rate(syncAnsweredMs)} and ${rate(asyncAnsweredMs)} events/s`;
}
