import { createExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ok, type Result } from "../../../shared/result.ts";
import { windowStart } from "../../../shared/window.ts";
import type { Guarded } from "../../access/guarded.ts";
import { openDirectory } from "../../directory/test-directory.ts";
import type { Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { HistoryUnavailable } from "../history.ts";
import { answerKnown, cachedRead } from "./cached-read.ts";
import { type Question, questionKey } from "./question.ts";

/** Later than now: a clock that was set back would believe what it knows for long. */
const NOON_MS = Date.UTC(2031, 10, 3, 12, 1);

let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});
// What is believed for half a second is believed for as long as a test takes.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS }));
afterEach(() => void vi.useRealTimers());

/** A route whose question is about the time since a moment, as of now, in a world that counts how often it is asked. */
function routeOf(name: string, bindings: object = {}) {
  const world = { asked: 0, answered: 0, isAway: false };
  const ask = async (_: unknown, atMs: number): Promise<Result<Question, Problem>> => {
    world.asked += 1;
    const [fromMs, toMs] = [NOON_MS - 5 * 86_400_000, windowStart(atMs)];
    return ok({
      merchantId: "shop",
      key: questionKey("shop", name, {}, { from: fromMs, to: toMs }),
      fromMs,
      toMs,
      madeFromMs: fromMs,
      answer: async () => {
        if (world.isAway) throw new HistoryUnavailable("away");
        world.answered += 1;
        return ok({ text: `{"answer":${world.answered}}`, contentType: "application/json", asOfMs: atMs });
      },
    });
  };
  const app = new Hono<Guarded<Env>>();
  app.use(async (c, next) => {
    c.set("merchant", "shop");
    const principal = { kind: "merchant", merchantId: "shop", role: "read" } as const;
    c.set("caller", { principal, keyId: "k", session: undefined });
    await next();
  });
  app.onError((error) => new Response(error.message, { status: 503 }));
  app.all(`/${name}`, (c) => cachedRead(c, ask));
  const shard = { mark: async () => 7 };
  const bound = {
    DIRECTORY: directory,
    VERSION: { id: name },
    SHARD: { idFromName: (id: string) => id, get: () => shard },
    ...bindings,
  } as unknown as Env;
  const read = async (init: RequestInit = {}, credentials: HeadersInit = { Authorization: "Bearer k" }) => {
    const request = new Request(`https://tally.example/${name}?to=now`, init);
    for (const [header, value] of new Headers(credentials)) request.headers.set(header, value);
    return await (answerKnown(request, bound, createExecutionContext()) ?? app.request(request, {}, bound));
  };
  return { world, read };
}

test("a request of a moment ago is answered without its route, unless it has a body, which says more", async () => {
  const { world, read } = routeOf("words");
  for (const _ of [1, 2, 3]) expect(await (await read()).text()).toBe('{"answer":1}');
  expect(world.asked).toBe(1);
  const [whole, short] = [await read({ headers: { "Cache-Control": "no-cache" } }), await read()];
  expect(short.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  for (const header of ["ETag", "Content-Type", "Cache-Control", "Vary"])
    expect(short.headers.get(header)).toBe(whole.headers.get(header));
  expect((await read({ headers: { "If-None-Match": whole.headers.get("ETag") ?? "" } })).status).toBe(304);
  expect(world.asked).toBe(2);
  for (const _ of [1, 2]) await read({ method: "POST", body: "{}" });
  expect(world).toMatchObject({ asked: 4, answered: 1 });
});

test("what one caller was answered is not given to another's key, nor to who shows none, before they are admitted", async () => {
  const { world, read } = routeOf("callers");
  await read();
  for (const credentials of [{}, { Authorization: "Bearer other" }, { Cookie: "Bearer k" }]) {
    const { asked } = world;
    await read({}, credentials);
    expect(world.asked).toBe(asked + 1);
  }
});

test("an answer without its route takes from its caller's limit, too", async () => {
  const taken: string[] = [];
  const RATE_LIMITER = { limit: async ({ key }: { key: string }) => ({ success: taken.push(key) <= 3 }) };
  const { world, read } = routeOf("limited", { RATE_LIMIT: "3/60s", RATE_LIMITER });
  const statuses: number[] = [];
  for (let request = 0; request < 6; request++) statuses.push((await read()).status);
  // The first goes the whole way, where `admit` would take it.
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  expect(taken).toEqual(Array(5).fill("key:k"));
  expect(world.asked).toBe(1);
});

test("while history is away the same words of up to an hour ago are answered, and later none", async () => {
  const { world, read } = routeOf("away");
  await read();
  world.isAway = true;
  vi.setSystemTime(NOON_MS + 59 * 60_000);
  const stale = await read();
  expect(await stale.text()).toBe('{"stale":true,"answer":1}');
  expect(stale.headers.get("Cache-Status")).toMatch(/^tally; fwd=stale; fwd-status=503; ttl=-\d+$/);
  vi.setSystemTime(NOON_MS + 71 * 60_000);
  expect((await read()).status).toBe(503);
});
