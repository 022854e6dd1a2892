import { Hono } from "hono";
import { expect, test } from "vitest";
import { headOnly } from "./head-only.ts";

test("what would be streamed ends at once when only the head is asked for, which is that of GET", async () => {
  let ended = 0;
  const app = new Hono().use(headOnly).get("/", () => {
    const body = new ReadableStream({ cancel: () => void ended++ });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  });
  const got = await app.request("/");
  expect(ended).toBe(0);
  await got.body?.cancel();
  const head = await app.request("/", { method: "HEAD" });
  expect(ended).toBe(2);
  expect([head.status, head.body, head.headers.get("Content-Type")]).toEqual([200, null, "text/event-stream"]);
});
