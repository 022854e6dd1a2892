import { FairTurns, type NoRoom } from "./fair-turns.ts";
import { SEARCH_END_MS_MAX, SEARCH_MS_MAX, type SearchTime } from "./search-time.ts";

/** Of an isolate: each keeps ClickHouse and the bucket busy by itself, and two dozen of them would keep all other reads from being answered. */
export const SEARCHES_AT_ONCE = 2;
/** Of a merchant's that wait: more would not have their turn in time unless each took less than a second. */
export const WAITING_OF_MERCHANT_MAX = 8;
/** Of all that wait in an isolate: as many as four merchants may have, until others want to. Each asks twenty times a second. */
export const WAITING_MAX = 32;
/** Before whoever found nothing in time, or no room to wait, asks again: those who wait now do not any more. */
export const SEARCH_PAUSE_S = SEARCH_MS_MAX / 1_000;
/** Between two looks of one that waits. */
export const POLL_MS = 50;

const LIMITS = {
  atOnce: SEARCHES_AT_ONCE,
  waitingMax: WAITING_MAX,
  waitingOfOneMax: WAITING_OF_MERCHANT_MAX,
  /**
   * A search that is let run to its end has ended long before, and one whose reader leaves ends at once. The platform stops others wherever they stand, and runs no
   * `finally`: when a request has used up its processor time, or goes on for 30 s after its caller has left.
   */
  turnMsMax: 3 * SEARCH_END_MS_MAX,
  silentMsMax: 20 * POLL_MS,
  /** The pause, and the way there and back. */
  claimMs: SEARCH_PAUSE_S * 1_000 + 2_000,
};

/** As many searches wait for their turn as may. */
export class SearchesFull extends Error {
  readonly noRoom: NoRoom;

  constructor(noRoom: NoRoom) {
    super(noRoom === "of_one" ? "too many searches of the merchant wait" : "too many searches wait");
    this.noRoom = noRoom;
  }
}

/** This isolate's: the searches of the archive that go on, and those that wait. */
const turns = new FairTurns(LIMITS);

/**
 * Searches when it is the merchant's turn. Whoever has none before the time is up searches all the same, and finds that it is late: what begins then reads nothing. Each
 * waits by a timer of its own: what another request would wake is not heard of when that has ended. When the caller leaves, the turn is another's at once, and nothing is
 * searched that has not begun: an empty page would have a table go on. Throws `SearchesFull`, `SearchAbandoned`.
 */
export async function inTurn<T>(merchantId: string, time: SearchTime, search: () => Promise<T>): Promise<T> {
  time.expectReader();
  const turn = turns.ask(merchantId, Date.now());
  if (typeof turn === "string") throw new SearchesFull(turn);
  const end = () => turns.end(turn, Date.now());
  time.signal?.addEventListener("abort", end, { once: true });
  try {
    while (!time.isUp && !turn.isPutOut && !turns.isOn(turn, Date.now()))
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    time.expectReader();
    if (turn.isPutOut) throw new SearchesFull("of_one");
    const found = await search();
    // What was left out because of it is not what others asked for, who may wait for the same.
    time.expectReader();
    return found;
  } finally {
    time.signal?.removeEventListener("abort", end);
    end();
  }
}
