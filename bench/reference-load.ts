import type { PaymentEventInput } from "../scripts/event-input.ts";
import { seededRandom } from "../scripts/seeded-random.ts";
import { WINDOW_MS } from "../shared/window.ts";
import { paymentLoad } from "./load.ts";

/** The load that is priced: three windows of payments, of which some are repeats and some come after their window has closed. */
export interface ReferenceLoad {
  readonly seed: string;
  readonly events: number;
  readonly merchants: number;
  readonly requestEvents: number;
}

export const WINDOWS = 3;
const REPEATS = 0.02;
const LATE = 0.01;

/**
 * The requests of one phase after another. A phase has the events of one window and, late, those held back from the window before; a
 * last one has only late events.
 */
export function* referencePhases(load: ReferenceLoad, firstWindowMs: number): Generator<Iterable<Buffer>> {
  const random = seededRandom("reference", load.seed);
  const next = paymentLoad({ seed: load.seed, merchants: load.merchants, repeats: REPEATS });
  let held: PaymentEventInput[] = [];
  for (let window = 0; window <= WINDOWS; window++) {
    const late = held;
    held = [];
    const startMs = firstWindowMs + window * WINDOW_MS;
    const count = window === WINDOWS ? 0 : Math.round(load.events / WINDOWS);
    yield requests(load.requestEvents, mixed(late, eventsOf(count, startMs)));
  }

  function* eventsOf(count: number, startMs: number): Generator<PaymentEventInput> {
    for (let at = 0; at < count; at++) {
      const event = next(startMs + Math.floor(random() * WINDOW_MS));
      if (random() < LATE) held.push(event);
      else yield event;
    }
  }
}

/** Late events spread evenly among those on time. */
function* mixed(late: readonly PaymentEventInput[], onTime: Iterable<PaymentEventInput>): Generator<PaymentEventInput> {
  const rest = late[Symbol.iterator]();
  let at = 0;
  for (const event of onTime) {
    yield event;
    at += 1;
    if (at % Math.round(1 / LATE) !== 0) continue;
    const { value, done } = rest.next();
    if (done !== true) yield value;
  }
  yield* rest;
}

function* requests(size: number, events: Iterable<PaymentEventInput>): Generator<Buffer> {
  let body: PaymentEventInput[] = [];
  for (const event of events) {
    if (body.push(event) < size) continue;
    yield Buffer.from(JSON.stringify(body));
    body = [];
  }
  if (body.length > 0) yield Buffer.from(JSON.stringify(body));
}
