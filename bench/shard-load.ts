import type { PaymentEventInput } from "../scripts/event-input.ts";
import { seededRandom } from "../scripts/seeded-random.ts";
import { acceptEvent } from "../shared/accept-event.ts";
import { batchOf } from "../shared/event-batch.ts";
import { hashUser } from "../shared/identity.ts";
import { encodeShardBatch } from "../shared/messages/shard-batch.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { paymentLoad } from "./load.ts";

const IDENTITY_KEY = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const USER_KEY = sipKeyFromHex("0f0e0d0c0b0a09080706050403020100");

export interface SmallWindows {
  readonly seed: string;
  /** Merchants with one window each. */
  readonly windows: number;
  readonly batchEvents: number;
}

/** Batches of one shard in which every merchant has one window of one to five events, all mixed; three events on average. */
export function* smallWindowBatches({ seed, windows, batchEvents }: SmallWindows, startMs: number) {
  const random = seededRandom("small windows", seed);
  const next = paymentLoad({ seed, merchants: 100 });
  const merchants: number[] = [];
  for (let merchant = 0; merchant < windows; merchant++) {
    for (let n = 1 + Math.floor(random() * 5); n > 0; n--) merchants.push(merchant);
  }
  shuffle(merchants, random);
  for (let at = 0; at < merchants.length; at += batchEvents) {
    const events = merchants.slice(at, at + batchEvents).map((merchant) => {
      const event = next(startMs + Math.floor(random() * WINDOW_MS));
      // A merchant has one currency; the load's own merchant is not the one that is meant.
      return { ...event, merchant_id: `m_${merchant.toString(36).padStart(10, "0")}`, currency: "JPY" };
    });
    yield { events: events.length, bytes: packed(events) };
  }
}

/** Batches of a busy shard: merchants by a Zipf law, events of the last hour's windows. */
export function* busyBatches(
  load: { seed: string; merchants: number; events: number; batchEvents: number },
  nowMs: number,
) {
  const random = seededRandom("busy shard", load.seed);
  const next = paymentLoad({ seed: load.seed, merchants: load.merchants });
  for (let sent = 0; sent < load.events; sent += load.batchEvents) {
    const events = Array.from({ length: load.batchEvents }, () =>
      next(windowStart(nowMs) - Math.floor(random() * HOUR_MS)),
    );
    yield { events: events.length, bytes: packed(events) };
  }
}

function packed(inputs: readonly PaymentEventInput[]): Uint8Array<ArrayBuffer> {
  const events = inputs.map((input) => {
    const accepted = acceptEvent(input);
    if (!accepted.ok) throw new Error(accepted.error.message);
    const { user } = accepted.value;
    if (user?.id === undefined) return accepted.value;
    return { ...accepted.value, user: { ...user, id: hashUser(USER_KEY, user.id) } };
  });
  return encodeShardBatch(batchOf(events, IDENTITY_KEY));
}

function shuffle(values: number[], random: () => number): void {
  for (let at = values.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [values[at], values[other]] = [values[other] as number, values[at] as number];
  }
}
