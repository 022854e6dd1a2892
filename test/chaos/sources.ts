import { gzip } from "../../clients/typescript/src/gzip.ts";
import { type PostTarget, postBatch } from "../../clients/typescript/src/post-events.ts";
import type { Receipt } from "../../clients/typescript/src/receipt.ts";
import { TallySender } from "../../clients/typescript/src/sender.ts";
import type { PaymentEventInput } from "../../scripts/event-input.ts";
import { identityOf } from "../../scripts/ledger.ts";
import { integerBetween, pick, pickByWeight, type Random, seededRandom } from "../../scripts/seeded-random.ts";
import { sleep } from "../../scripts/sleep.ts";
import { LATENESS_HORIZON_MS, WINDOW_MS } from "../../shared/window.ts";
import { shopEvents } from "../shop.ts";
import type { SendersRecord } from "./senders-record.ts";

/** Single events to batches, as many small requests as large ones. */
const REQUEST_EVENTS_MAX = 150;
const REPEATS_MAX = 10;
/** Of the requests. */
const ASYNC_SHARE = 0.3;
const GZIP_SHARE = 0.5;
const REPEATING_SHARE = 0.25;
/** Of the repeats: they say something else. */
const CONFLICT_SHARE = 0.3;
/** What a source remembers, to repeat it. */
const REMEMBERED_MAX = 2_000;
/** Senders are impatient here: a runtime that was killed is back within seconds. */
const RETRY_MS_MAX = 200;
const PAUSE_MS_MAX = 250;
/** A repeat with another time is known as one for an hour at the least after its window; so it is sent while that is recent. */
const MOVED_AGE_MS_MAX = 30 * 60_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How old the events of a request are, `[from, to]`, by the sender's clock. */
const AGES_MS = {
  now: [0, MINUTE_MS],
  "this hour": [MINUTE_MS, HOUR_MS],
  "this day": [HOUR_MS, LATENESS_HORIZON_MS - HOUR_MS],
  // On both sides of it, and over it while they are on their way.
  "the horizon": [LATENESS_HORIZON_MS - 5 * MINUTE_MS, LATENESS_HORIZON_MS + 15 * MINUTE_MS],
  late: [LATENESS_HORIZON_MS + 15 * MINUTE_MS, LATENESS_HORIZON_MS + 5 * HOUR_MS],
} as const satisfies Record<string, readonly [number, number]>;
const AGE_WEIGHTS = { now: 60, "this hour": 20, "this day": 8, "the horizon": 4, late: 8 };

/** The oldest event of all, before what its sender's clock adds. */
export const AGE_MS_MAX = AGES_MS.late[1];

/** A producer's clock: wrong by `offsetMs` at first, and further by `driftMsPerS` in each second. */
export interface Clock {
  readonly offsetMs: number;
  readonly driftMsPerS: number;
}

/** Clocks: right, ahead nearly as far as is allowed, behind, running away, and one so fast that some of its events are refused. */
const CLOCKS: readonly Clock[] = [
  { offsetMs: 0, driftMsPerS: 0 },
  { offsetMs: 4.7 * MINUTE_MS, driftMsPerS: 0 },
  { offsetMs: -3 * MINUTE_MS, driftMsPerS: -200 },
  { offsetMs: -2 * MINUTE_MS, driftMsPerS: 1_000 },
  { offsetMs: 4.98 * MINUTE_MS, driftMsPerS: 100 },
];

/**
 * `patient`: repeats each request until it is answered. `impatient`: gives up after a try or two, and goes on with other events.
 * `batching`: the client of `clients/typescript`, event by event, which gives up after some tries.
 */
type Manner = "patient" | "impatient" | "batching";
const MANNERS: readonly Manner[] = ["patient", "patient", "batching", "patient", "impatient"];

export interface SourceOptions {
  readonly seed: string;
  /** By its place in the lists above. */
  readonly place: number;
  readonly target: PostTarget;
  readonly startedMs: number;
  /** No request is begun after this. */
  readonly stop: AbortSignal;
  /** The run has failed: what is under way is not waited for either. */
  readonly abort: AbortSignal;
  readonly onAnswer: () => void;
}

export const SOURCES = MANNERS.length;

export interface SourceCount {
  requests: number;
  /** Requests that were sent more than once before they were answered. */
  repeated: number;
  /** Requests that were given up without an answer. */
  givenUp: number;
}

/** Sends until it is stopped, and notes what it was told. What is under way then is waited for. */
export async function runSource(options: SourceOptions, record: SendersRecord): Promise<SourceCount> {
  const manner = MANNERS[options.place % MANNERS.length] ?? "patient";
  return manner === "batching" ? await sendBatching(options, record) : await sendRequests(options, record, manner);
}

async function sendRequests(options: SourceOptions, record: SendersRecord, manner: Manner): Promise<SourceCount> {
  const { seed, place, target, stop } = options;
  const random = seededRandom(seed, "source", place);
  const count: SourceCount = { requests: 0, repeated: 0, givenUp: 0 };
  const known = new Known();
  while (!stop.aborted) {
    const fresh = freshEvents(options, count.requests, Math.ceil(REQUEST_EVENTS_MAX ** random()), random);
    const repeats = random() < REPEATING_SHARE ? known.repeats(random, Date.now()) : [];
    record.sent(fresh);
    const events = [...fresh, ...repeats];
    const bytes = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
    const isGzip = random() < GZIP_SHARE;
    const outcome = await postBatch(
      { ...target, async: random() < ASYNC_SHARE },
      { bytes: isGzip ? await gzip(bytes) : bytes, gzip: isGzip },
      {
        fetch,
        random,
        sleep: (ms, signal) => sleep(Math.min(ms, RETRY_MS_MAX), signal),
        abort: options.abort,
        attemptsMax: manner === "patient" ? Number.POSITIVE_INFINITY : integerBetween(random, 1, 2),
      },
    );
    count.requests += 1;
    if (outcome.reason === "answered") {
      checkSum(outcome.receipt, events.length);
      count.repeated += outcome.attempts > 1 ? 1 : 0;
      record.answered(events, outcome.receipt, Date.now());
      known.add(fresh, outcome.receipt);
      options.onAnswer();
    } else if (outcome.reason === "gave_up") count.givenUp += 1;
    else if (outcome.reason === "stopped") break;
    else throw new Error(`a request ended without a receipt: ${JSON.stringify(outcome)}`);
    await sleep(integerBetween(random, 0, PAUSE_MS_MAX), stop);
  }
  return count;
}

async function sendBatching(options: SourceOptions, record: SendersRecord): Promise<SourceCount> {
  const { seed, place, target, stop } = options;
  const random = seededRandom(seed, "source", place);
  const count: SourceCount = { requests: 0, repeated: 0, givenUp: 0 };
  const sender = new TallySender({
    ...target,
    batchEventsMax: 50,
    batchAgeMsMax: 300,
    attemptsMax: 4,
    signal: options.abort,
    deps: { random, sleep: (ms, signal) => sleep(Math.min(ms, 3 * RETRY_MS_MAX), signal) },
    onReceipt: (receipt, events) => {
      checkSum(receipt, events.length);
      count.requests += 1;
      record.answered(events, receipt, Date.now());
      options.onAnswer();
    },
    onFailure: () => {
      count.requests += 1;
      count.givenUp += 1;
    },
  });
  for (let group = 0; !stop.aborted; group += 1) {
    for (const event of freshEvents(options, group, integerBetween(random, 1, 20), random)) {
      record.sent([event]);
      await sender.send(event);
    }
    await sleep(integerBetween(random, 0, PAUSE_MS_MAX), stop);
  }
  await sender.close();
  return count;
}

function freshEvents(options: SourceOptions, request: number, count: number, random: Random): PaymentEventInput[] {
  const { seed, place, startedMs } = options;
  const clock = CLOCKS[place % CLOCKS.length] ?? { offsetMs: 0, driftMsPerS: 0 };
  const nowMs = Date.now();
  const clockMs = nowMs + clock.offsetMs + Math.round((clock.driftMsPerS * (nowMs - startedMs)) / 1000);
  const [youngestMs, oldestMs] = AGES_MS[pickByWeight(random, AGE_WEIGHTS)];
  return shopEvents({
    seed: `${seed}-${place}-${request}`,
    count,
    fromMs: clockMs - oldestMs,
    toMs: clockMs - youngestMs + 1,
  });
}

/** What a source has sent, of which it sends some again. */
class Known {
  #counted: PaymentEventInput[] = [];

  /** Only what a receipt says is counted is contradicted: of two versions that are both in the log, either may count. */
  add(events: readonly PaymentEventInput[], receipt: Receipt): void {
    if (receipt.queued > 0 || receipt.rejected > 0) return;
    this.#counted = [...this.#counted, ...events].slice(-REMEMBERED_MAX);
  }

  repeats(random: Random, nowMs: number): PaymentEventInput[] {
    if (this.#counted.length === 0) return [];
    const repeats = Array.from({ length: integerBetween(random, 1, REPEATS_MAX) }, () => {
      const event = pick(random, this.#counted);
      if (random() >= CONFLICT_SHARE) return event;
      const isRecent = Math.abs(nowMs - event.occurred_at) < MOVED_AGE_MS_MAX;
      return isRecent && random() < 0.5
        ? { ...event, occurred_at: event.occurred_at - WINDOW_MS }
        : { ...event, amount: event.amount + 1 };
    });
    return [...new Map(repeats.map((event) => [identityOf(event), event])).values()];
  }
}

/** Every event of a request is in exactly one of a receipt's counts. */
function checkSum(receipt: Receipt, events: number): void {
  const { accepted, duplicates, late, rejected, queued } = receipt;
  if (accepted + duplicates + late + rejected + queued !== events) {
    throw new Error(`a receipt for ${events} events does not add up: ${JSON.stringify(receipt)}`);
  }
}
