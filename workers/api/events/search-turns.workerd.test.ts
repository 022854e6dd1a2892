import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { DAY_MS } from "../../../shared/window.ts";
import { addKey, openDirectory } from "../../directory/test-directory.ts";
import { api } from "../../openapi/held-apps.ts";
import { apiOver, ORIGIN, SESSION_KEY } from "../test-api.ts";
import { eventsAnswerSchema } from "./events-schema.ts";
import { SEARCH_MS_MAX, SearchTime } from "./search-time.ts";
import { inTurn, POLL_MS, SEARCH_PAUSE_S, SEARCHES_AT_ONCE, WAITING_OF_MERCHANT_MAX } from "./searches.ts";

/** An archive that nobody may be asked for: no port of that number is ever listened on. */
const NOWHERE = "http://127.0.0.1:1";
const BESIDE = {
  ...{ ARCHIVE_S3_URL: `${NOWHERE}/archive`, ARCHIVE_S3_KEY_ID: "id", ARCHIVE_S3_SECRET: "secret" },
  ...{ CLICKHOUSE_URL: NOWHERE, CLICKHOUSE_USER: "reader", CLICKHOUSE_PASSWORD: "", CLICKHOUSE_DATABASE: "tally" },
  VERSION: { id: "search-turns" },
};

let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Has time pass while a search waits for its turn, and while nothing else does: others' turns end after so much of it. */
function passWhileWaiting(): void {
  const setTimer = globalThis.setTimeout.bind(globalThis);
  vi.spyOn(globalThis, "setTimeout").mockImplementation((callback, ms) => {
    if (ms === POLL_MS) vi.setSystemTime(Date.now() + SEARCH_MS_MAX / 10);
    return setTimer(callback, ms);
  });
}

test("a page of a time that is over, which never had its turn to be searched for, is not kept for those that come later", async () => {
  const key = await addKey(directory, "merchant", "shop");
  const others = Promise.withResolvers<void>();
  const going = Array.from({ length: SEARCHES_AT_ONCE }, (_, n) =>
    inTurn(`before-shop-${n}`, new SearchTime(Date.now), () => others.promise),
  );
  const toMs = Date.now() - 3 * DAY_MS;
  const span = `from=${new Date(toMs - DAY_MS).toISOString()}&to=${new Date(toMs).toISOString()}`;
  passWhileWaiting();
  const pageAfter = async (cursor?: string) => {
    const path = `/v1/merchants/shop/events?${span}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer = await apiOver(directory, BESIDE).ask("GET", path, key);
    const { events, next_cursor, next_after_s } = eventsAnswerSchema.parse(await answer.json());
    return {
      events,
      next_cursor: next_cursor ?? expect.fail(),
      next_after_s,
      cache: answer.headers.get("Cache-Status"),
    };
  };
  const first = await pageAfter();
  expect(first).toMatchObject({ events: [], next_after_s: SEARCH_PAUSE_S, cache: expect.stringContaining("fwd=miss") });
  // Where it goes on, it may have no turn either: then that page leads to itself, and so it would for weeks.
  for (const _ of [1, 2]) {
    const next = await pageAfter(first.next_cursor);
    expect(next).toEqual({ ...first, cache: expect.stringContaining("fwd=miss") });
  }
  others.resolve();
  await Promise.all(going);
});

test("when too many of the merchant wait, a list and a table are refused with when to come again", async () => {
  const key = await addKey(directory, "merchant", "shop-3");
  const others = Promise.withResolvers<void>();
  const over = new AbortController();
  const wait = (merchantId: string) =>
    inTurn(merchantId, new SearchTime(Date.now, undefined, over.signal), () => others.promise);
  const going = Array.from({ length: SEARCHES_AT_ONCE }, (_, n) => wait(`others-${n}`));
  for (let n = 0; n < WAITING_OF_MERCHANT_MAX; n++) going.push(wait("shop-3"));
  const refusedWith = async (path: string) => {
    const answer = await apiOver(directory, BESIDE).ask("GET", `/v1/merchants/shop-3/${path}`, key);
    const { code } = (await answer.json()) as { code: string };
    return [answer.status, code, answer.headers.get("Retry-After")];
  };
  const retryAfter = String(SEARCH_PAUSE_S);
  for (const path of ["events?from=yesterday&to=today", "events?format=csv"]) {
    expect(await refusedWith(path)).toEqual([429, "too_many_searches", retryAfter]);
  }
  over.abort();
  others.resolve();
  // Those that waited are given up.
  await Promise.allSettled(going);
});

test("a search is given up when its caller leaves: its turn is another's at once, and nothing is said to have failed", async () => {
  const key = await addKey(directory, "merchant", "shop-4");
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const listing = Promise.withResolvers<void>();
  const listed = Promise.withResolvers<Pick<R2Objects, "objects" | "truncated">>();
  const ARCHIVE = {
    list: async () => {
      listing.resolve();
      return await listed.promise;
    },
  };
  const leave = new AbortController();
  const init = { headers: { Authorization: key.authorization }, signal: leave.signal };
  const env = { DIRECTORY: directory, SESSION_KEY, ...BESIDE, ARCHIVE };
  // Not by what holds answers to the document: nobody gets it.
  const answer = api.fetch(new Request(new URL("/v1/merchants/shop-4/events", ORIGIN), init), env);
  await listing.promise;
  const over = Promise.withResolvers<void>();
  let searching = 0;
  const others = Array.from({ length: SEARCHES_AT_ONCE }, (_, n) =>
    inTurn(`beside-shop-4-${n}`, new SearchTime(Date.now), async () => {
      searching += 1;
      if (searching === SEARCHES_AT_ONCE) over.resolve();
      await over.promise;
    }),
  );
  leave.abort();
  // Each goes on until all of them do.
  await Promise.all(others);
  listed.resolve({ objects: [], truncated: false });
  expect((await answer).status).toBe(499);
  expect(logged).not.toHaveBeenCalled();
});

test("a search goes on when its caller has left, so that its turn is another's once it has ended", async () => {
  const key = await addKey(directory, "merchant", "shop-2");
  // That the key is used is noted once in a while, behind the answer, too.
  await apiOver(directory).ask("GET", "/v1/merchants/shop-2", key);
  const listed = Promise.withResolvers<never>();
  const listing = Promise.withResolvers<void>();
  const ARCHIVE = {
    list: async () => {
      listing.resolve();
      return await listed.promise;
    },
  };
  const kept: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => void kept.push(work),
    passThroughOnException: () => {},
    props: {},
  };
  const init = { headers: { Authorization: key.authorization } };
  const env = { DIRECTORY: directory, SESSION_KEY, ...BESIDE, ARCHIVE };
  const answer = api.request(new URL("/v1/merchants/shop-2/events", ORIGIN).href, init, env, context);
  await listing.promise;
  // As the runtime sees it: it is told to wait for something, and that is the search.
  expect(kept).toHaveLength(1);
  const [search = expect.fail()] = kept;
  let hasEnded = false;
  void search.then(() => {
    hasEnded = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(hasEnded).toBe(false);
  listed.reject(new Error("the bucket is away"));
  await search;
  expect((await answer).status).toBe(500);
});
