import { type PostTarget, postBatch } from "../clients/typescript/src/post-events.ts";
import type { Receipt } from "../clients/typescript/src/receipt.ts";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { identityOf, type Ledger } from "../scripts/ledger.ts";
import { integerBetween, pick, type Random, seededRandom } from "../scripts/seeded-random.ts";
import { sleep } from "../scripts/sleep.ts";
import { WINDOW_MS } from "../shared/window.ts";
import { shopEvents } from "./shop.ts";

const REQUEST_EVENTS_MAX = 200;
const REPEATS_MAX = 20;
/** Shares of requests. */
const ASYNC_SHARE = 0.2;
const REPEATING_SHARE = 0.3;
/** Of the repeats: another amount, or another window. */
const CONFLICT_SHARE = 0.2;
/** Senders are impatient here: a runtime that was killed is back within seconds. */
const RETRY_MS_MAX = 100;
const ATTEMPTS_MAX = 10_000;

export interface SenderOptions {
  readonly seed: string;
  readonly target: PostTarget;
  /** Event times. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether all of them are beyond the lateness horizon. */
  readonly isLate?: boolean;
  /** No request is begun after this. */
  readonly stop: AbortSignal;
  readonly onAcknowledged: () => void;
}

export interface SenderCount {
  requests: number;
  /** Requests that were sent more than once before they were answered. */
  repeated: number;
  events: number;
}

/**
 * Sends one request after another, each with the same events until it is answered, and notes in the ledger what was acknowledged.
 * Mostly new payments of a shop, 1 to 200 a request, some of them asynchronous; among them repeats of earlier ones, of which some say
 * something else. Only what a receipt said was counted is contradicted: of two versions that are both in the log, either may count.
 */
export async function sendInsistently(options: SenderOptions, ledger: Ledger): Promise<SenderCount> {
  const { seed, target, stop, isLate = false } = options;
  const random = seededRandom(seed, "sender");
  const sent: PaymentEventInput[] = [];
  const counted: PaymentEventInput[] = [];
  const count: SenderCount = { requests: 0, repeated: 0, events: 0 };
  while (!stop.aborted) {
    const isAsync = random() < ASYNC_SHARE;
    const fresh = freshEvents(options, count.requests, random);
    const repeats = random() < REPEATING_SHARE ? repeatsOf(sent, counted, isLate, random) : [];
    const { receipt, attempts } = await post({ ...target, async: isAsync }, [...fresh, ...repeats], random);
    ledger.acknowledge(fresh);
    checkReceipt(receipt, { fresh: fresh.length, repeats: repeats.length, isLate, isFirst: attempts === 1 });
    sent.push(...fresh);
    if (receipt.queued === 0) counted.push(...fresh);
    count.requests += 1;
    count.repeated += attempts > 1 ? 1 : 0;
    count.events += fresh.length;
    options.onAcknowledged();
  }
  return count;
}

/** As many small requests as large ones. */
function freshEvents({ seed, fromMs, toMs }: SenderOptions, request: number, random: Random): PaymentEventInput[] {
  const count = Math.ceil(REQUEST_EVENTS_MAX ** random());
  return shopEvents({ seed: `${seed}-${request}`, count, fromMs, toMs });
}

function repeatsOf(
  sent: readonly PaymentEventInput[],
  counted: readonly PaymentEventInput[],
  isLate: boolean,
  random: Random,
): PaymentEventInput[] {
  if (counted.length === 0) return [];
  const repeats = Array.from({ length: integerBetween(random, 1, REPEATS_MAX) }, () => {
    if (random() >= CONFLICT_SHARE) return pick(random, sent);
    const event = pick(random, counted);
    // Moved into another window when its own is not recent any more it counts there, too.
    return isLate || random() < 0.5
      ? { ...event, amount: event.amount + 1 }
      : { ...event, occurred_at: event.occurred_at - WINDOW_MS };
  });
  return [...new Map(repeats.map((event) => [identityOf(event), event])).values()];
}

async function post(target: PostTarget, events: readonly PaymentEventInput[], random: Random) {
  const bytes = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
  const outcome = await postBatch(
    target,
    { bytes, gzip: false },
    { fetch, random, attemptsMax: ATTEMPTS_MAX, sleep: (ms, signal) => sleep(Math.min(ms, RETRY_MS_MAX), signal) },
  );
  if (outcome.reason !== "answered") throw new Error(`a request ended without a receipt: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** What a receipt says has to be so already before anything is compared. */
function checkReceipt(
  receipt: Receipt,
  { fresh, repeats, isLate, isFirst }: { fresh: number; repeats: number; isLate: boolean; isFirst: boolean },
): void {
  const { accepted, duplicates, late, rejected, queued } = receipt;
  const known = isLate ? late : accepted + duplicates;
  const isWhole = known + queued === fresh + repeats && (isLate ? accepted + duplicates : late) === 0 && rejected === 0;
  const isNew = isLate || !isFirst || accepted + queued >= fresh;
  if (!isWhole || !isNew) {
    throw new Error(`a wrong receipt for ${fresh} events and ${repeats} repeats: ${JSON.stringify(receipt)}`);
  }
}
