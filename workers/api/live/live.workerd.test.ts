import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { addKey } from "../../directory/test-directory.ts";
import { apiOver, openApi } from "../test-api.ts";
import { seats } from "./live.ts";
import { LISTENERS_PER_ISOLATE_MAX } from "./seats.ts";

const WAIT_MS_MAX = 120_000;

test("who comes when an isolate has as many listeners as it may is told when to come again, and is let in when there is room", async () => {
  const { directory } = await openApi();
  const { SHARD } = env as unknown as { readonly SHARD: DurableObjectNamespace };
  const api = apiOver(directory, { SHARD });
  const key = await addKey(directory, "merchant", "live-shop");
  const listen = () => api.ask("GET", "/v1/merchants/live-shop/live", key);
  for (let n = 0; n < LISTENERS_PER_ISOLATE_MAX; n++) expect(seats.take({}, Date.now())).toBe(true);
  const refused = await listen();
  expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "30"]);
  expect(await refused.json()).toMatchObject({ code: "too_many_listeners" });
  seats.clear();
  const stream = await listen();
  expect([stream.status, seats.taken]).toEqual([200, 1]);
  await stream.body?.cancel();
  await expect.poll(() => seats.taken, { timeout: WAIT_MS_MAX }).toBe(0);
  // Of the head alone nobody reads a stream.
  const head = await api.ask("HEAD", "/v1/merchants/live-shop/live", key);
  expect([head.status, head.headers.get("Content-Type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  await expect.poll(() => seats.taken, { timeout: WAIT_MS_MAX }).toBe(0);
});
