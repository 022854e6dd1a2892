import { Hono } from "hono";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { ok, type Result } from "../../../shared/result.ts";
import { windowStart } from "../../../shared/window.ts";
import type { Guarded } from "../../access/guarded.ts";
import { openDirectory } from "../../directory/test-directory.ts";
import type { Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { HistoryUnavailable } from "../history.ts";
import { cachedRead } from "./cached-read.ts";
import { type Question, questionKey } from "./question.ts";

/** Later than now: a clock that was set back would believe what it knows for long. */
const NOON_MS = Date.UTC(2031, 10, 3, 12, 1);

let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});
afterEach(() => void vi.useRealTimers());

/** A route whose question is about the time since a moment, as of now, in a world that counts how often it is asked. */
function routeOf(name: string) {
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
    await next();
  });
  app.onError((error) => new Response(error.message, { status: 503 }));
  app.all(`/${name}`, (c) => cachedRead(c, ask));
  const shard = { mark: async () => 7 };
  const env = {
    DIRECTORY: directory,
    VERSION: { id: name },
    SHARD: { idFromName: (id: string) => id, get: () => shard },
  } as unknown as Env;
  const read = (init: RequestInit = {}) => app.request(`/${name}?to=now`, init, env);
  return { world, read };
}

test("words that were understood a moment ago are not parsed again, unless a body says more", async () => {
  const { world, read } = routeOf("words");
  for (const _ of [1, 2, 3]) expect(await (await read()).text()).toBe('{"answer":1}');
  expect(world.asked).toBe(1);
  for (const _ of [1, 2]) await read({ method: "POST", body: "{}" });
  expect(world.asked).toBe(3);
  await read({ headers: { "Cache-Control": "no-cache" } });
  expect(world).toMatchObject({ asked: 4, answered: 1 });
});

test("while history is away the same words of up to an hour ago are answered, and later none", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
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
