import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SearchAbandoned, SearchTime } from "./search-time.ts";
import { inTurn, SEARCHES_AT_ONCE, SearchesFull, WAITING_MAX, WAITING_OF_MERCHANT_MAX } from "./searches.ts";

// However long a machine takes, nobody falls silent meanwhile, and nobody's time is up.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const inTime = () => new SearchTime(Date.now);

/** As many searches as there may be at once, of a merchant each, which end when they are told to. */
function searching() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const going = Array.from({ length: SEARCHES_AT_ONCE }, (_, n) => inTurn(`busy-${n}`, inTime(), () => promise));
  return async () => {
    resolve();
    await Promise.all(going);
  };
}

test("a search waits for its turn, until its time is up, and then finds that it is late", async () => {
  const end = searching();
  let nowMs = 0;
  const time = new SearchTime(() => {
    nowMs += 1_000;
    return nowMs;
  });
  expect(await inTurn("shop", time, async () => time.isUp)).toBe(true);
  const waiting = inTurn("shop", inTime(), async () => "its turn");
  await end();
  expect(await waiting).toBe("its turn");
});

test("a merchant's search comes before all others of one that has its turn", async () => {
  const end = searching();
  const served: string[] = [];
  const search = (merchantId: string) => inTurn(merchantId, inTime(), async () => void served.push(merchantId));
  const all = ["many", "many", "many", "few"].map(search);
  await end();
  await Promise.all(all);
  expect(served.slice(0, 2).toSorted()).toEqual(["few", "many"]);
});

test("the turn of one whose caller has left is another's at once, whatever it still waits for", async () => {
  const left = new AbortController();
  const never = new Promise<never>(() => {});
  for (let n = 0; n < SEARCHES_AT_ONCE; n++) {
    void inTurn(`leaver-${n}`, new SearchTime(Date.now, undefined, left.signal), () => never);
  }
  const other = inTurn("stayer", inTime(), async () => "its turn");
  left.abort();
  expect(await other).toBe("its turn");
});

test("for a caller who has left, or leaves while it waits, nothing is searched", async () => {
  const end = searching();
  const left = new AbortController();
  const search = () => inTurn("leaver", new SearchTime(Date.now, undefined, left.signal), async () => "searched");
  const waiting = expect(search()).rejects.toBeInstanceOf(SearchAbandoned);
  left.abort();
  await waiting;
  await end();
  await expect(search()).rejects.toBeInstanceOf(SearchAbandoned);
});

test("beyond so many of a merchant, and of all, none is let wait, but in the place of one of a merchant with more", async () => {
  const end = searching();
  const waiting: Promise<unknown>[] = [];
  const wait = (merchantId: string) => {
    const search = inTurn(merchantId, inTime(), async () => {});
    waiting.push(search.catch(() => {}));
    return search;
  };
  const many = Array.from({ length: WAITING_OF_MERCHANT_MAX }, () => wait("greedy"));
  await expect(wait("greedy")).rejects.toMatchObject({ noRoom: "of_one" });
  for (let n = WAITING_OF_MERCHANT_MAX; n < WAITING_MAX; n++) void wait(`shop-${n}`);
  void wait("another");
  await expect(many.at(-1)).rejects.toMatchObject({ noRoom: "of_one" });
  for (let n = WAITING_MAX; n < WAITING_MAX + WAITING_OF_MERCHANT_MAX - 2; n++) void wait(`shop-${n}`);
  const refused = await wait("one-too-many").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(SearchesFull);
  expect(refused).toMatchObject({ noRoom: "of_all" });
  await end();
  await Promise.all(waiting);
});
