import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { PATIENCE } from "../circuit-breaker.ts";
import { addKey } from "../directory/test-directory.ts";
import { apiOver, openApi } from "./test-api.ts";

let directory: D1Database;
beforeAll(async () => {
  ({ directory } = await openApi());
});
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.useRealTimers());

test("while the directory is away a read says so, and that it may be tried again", async () => {
  const key = await addKey(directory, "merchant", "shop-1");
  const away = new Proxy(directory, {
    get: (target, name) => (sql: string) => {
      if (name === "prepare" && /from "merchants"/.test(sql)) throw new Error("D1 is away");
      return Reflect.get(target, name).call(target, sql);
    },
  });
  const response = await apiOver(away).ask("GET", "/v1/merchants/shop-1/report", key);
  expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({ code: "directory_unavailable" });
});

const { SHARD } = env as unknown as { readonly SHARD: DurableObjectNamespace };
const BESIDE = { SHARD, VERSION: { id: "test" } };
const MINUTE_MS = 60_000;
const WAIT_MS_MAX = 120_000;

/** A directory that takes questions, and answers none. */
function hanging() {
  const questions = { asked: 0 };
  const hang = () => {
    questions.asked += 1;
    return new Promise<never>(() => {});
  };
  const statement = { bind: () => statement, raw: hang, all: hang, run: hang, first: hang };
  return { questions, directory: { prepare: () => statement } as unknown as D1Database };
}

function refusing(): D1Database {
  const prepare = () => {
    throw new Error("D1 is away");
  };
  return { prepare } as unknown as D1Database;
}

test("a merchant whose key was known lately reads what shards and history tell while the directory refuses or hangs, and is told what is not known", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const key = await addKey(directory, "merchant", "shop-2");
  const read = (from: D1Database) => apiOver(from, BESIDE).ask("GET", "/v1/merchants/shop-2/report", key);
  const codes = async (answer: Response) =>
    ((await answer.json()) as { notices: { code: string }[] }).notices.map(({ code }) => code);
  expect(await codes(await read(directory))).toEqual([]);
  // Longer than a key is trusted, and than corrections may be unknown.
  vi.setSystemTime(Date.now() + 2 * MINUTE_MS);
  const refused = await read(refusing());
  expect([refused.status, await codes(refused)]).toEqual([200, ["late_events_unknown"]]);
  const first = hanging();
  expect(await codes(await read(first.directory))).toEqual(["late_events_unknown"]);
  expect(first.questions.asked).toBeGreaterThan(0);
  // Nobody waits any more: who asks nothing has nothing to wait for.
  const next = hanging();
  for (const _ of [1, 2, 3]) expect(await codes(await read(next.directory))).toEqual(["late_events_unknown"]);
  expect(next.questions.asked).toBe(0);
  const stranger = await apiOver(hanging().directory, BESIDE).ask("GET", "/v1/merchants/shop-3/report", {
    Authorization: (await addKey(directory, "merchant", "shop-3")).authorization,
  });
  expect(stranger.status).toBe(503);
  await vi.waitUntil(async () => {
    vi.setSystemTime(Date.now() + PATIENCE.triedEveryMs);
    return (await codes(await read(directory))).length === 0;
  }, WAIT_MS_MAX);
});
