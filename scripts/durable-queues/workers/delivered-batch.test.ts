import type { MessageBatch } from "@cloudflare/workers-types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeFrame } from "../message-frame.ts";
import type { DeliveryHead } from "../wire.ts";
import { consumeDelivered } from "./delivered-batch.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const delivered = (consume: (batch: MessageBatch) => void) => {
  const head: DeliveryHead = {
    queue: "log",
    messages: ["a", "b", "c"].map((id, at) => ({ id, sent_at: 1_000 + at, attempts: at + 1 })),
  };
  const bodies = ["a", "b", "c"].map((name) => new TextEncoder().encode(`body of ${name}`));
  return consumeDelivered(encodeFrame(head, bodies).buffer, async (batch) => consume(batch));
};

test("a consumer sees the messages as they were sent", async () => {
  await delivered(({ queue, messages }) => {
    expect(queue).toBe("log");
    expect(messages.map(({ id, timestamp, attempts }) => [id, timestamp.getTime(), attempts])).toEqual([
      ["a", 1_000, 1],
      ["b", 1_001, 2],
      ["c", 1_002, 3],
    ]);
    expect(messages.map(({ body }) => new TextDecoder().decode(body as ArrayBuffer))).toEqual([
      "body of a",
      "body of b",
      "body of c",
    ]);
  });
});

test("what nothing was said of is acknowledged when the consumer returns", async () => {
  expect(await delivered(({ messages }) => messages[1]?.retry())).toEqual({
    acked: ["a", "c"],
    retried: [{ id: "b" }],
  });
});

test("what nothing was said of comes again when the consumer throws; what was said stands", async () => {
  const verdict = await delivered(({ messages }) => {
    messages[0]?.ack();
    messages[1]?.retry({ delaySeconds: 9 });
    throw new Error("a bug");
  });
  expect(verdict).toEqual({ acked: ["a"], retried: [{ id: "b", delay_s: 9 }, { id: "c" }] });
});

test("the first word on a message counts, whatever is said of it or of the batch later", async () => {
  const verdict = await delivered((batch) => {
    batch.messages[0]?.retry();
    batch.messages[0]?.ack();
    batch.messages[1]?.ack();
    batch.retryAll({ delaySeconds: 4 });
    batch.ackAll();
  });
  expect(verdict).toEqual({ acked: ["b"], retried: [{ id: "a" }, { id: "c", delay_s: 4 }] });
});

test("a word on a message counts before one on the batch, though that came first", async () => {
  const verdict = await delivered((batch) => {
    batch.ackAll();
    batch.messages[2]?.retry();
  });
  expect(verdict).toEqual({ acked: ["a", "b"], retried: [{ id: "c" }] });
});
