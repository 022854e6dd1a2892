import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEND_BATCH_BYTES_MAX, SEND_BATCH_MESSAGES_MAX, sendAll } from "./queue.ts";

type Sent = { readonly body: Uint8Array; readonly contentType: string };

/** Keeps what it is sent, a list a call; refuses the call of the given number. */
function fakeQueue(refusedCall = -1) {
  const calls: Sent[][] = [];
  const options: unknown[] = [];
  const sendBatch = async (messages: Sent[], given: unknown) => {
    if (calls.length === refusedCall) throw new Error("queue is away");
    calls.push(messages);
    options.push(given);
  };
  // As the runtime does, it takes the buffer away.
  const send = async (body: Uint8Array<ArrayBuffer>, { contentType, ...given }: { contentType: string }) =>
    await sendBatch([{ body: new Uint8Array(body.buffer.transfer()), contentType }], given);
  return { calls, options, queue: { send, sendBatch } as unknown as Queue };
}

const bodies = fc.array(
  fc.oneof(fc.nat(2_000), fc.integer({ min: 80_000, max: 120_000 })).map((size) => new Uint8Array(size)),
  { maxLength: 300, size: "max" },
);

describe("sending all", () => {
  test("sends every body once, in order, each call within the limits", async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async (all) => {
        const { calls, queue } = fakeQueue();
        all.forEach((body, at) => void body.fill(at, 0, 1));
        const marks = all.map((body) => [body.length, body[0]]);
        await sendAll(queue, all);
        expect(calls.flat().map(({ body }) => [body.length, body[0]])).toEqual(marks);
        for (const call of calls) {
          expect(call.length).toBeGreaterThan(0);
          expect(call.length).toBeLessThanOrEqual(SEND_BATCH_MESSAGES_MAX);
          expect(call.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThanOrEqual(SEND_BATCH_BYTES_MAX);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("takes no more calls than the limits ask for", async () => {
    const { calls, queue } = fakeQueue();
    await sendAll(
      queue,
      [...Array(4)].map(() => new Uint8Array(SEND_BATCH_BYTES_MAX / 2)),
    );
    await sendAll(
      queue,
      [...Array(SEND_BATCH_MESSAGES_MAX)].map(() => new Uint8Array(1)),
    );
    await sendAll(queue, []);
    expect(calls.map((call) => call.length)).toEqual([2, 2, SEND_BATCH_MESSAGES_MAX]);
  });

  test("passes the delay on with every call, and the bodies as bytes", async () => {
    const { calls, options, queue } = fakeQueue();
    await sendAll(
      queue,
      [...Array(3)].map(() => new Uint8Array(120_000)),
      { delaySeconds: 5 },
    );
    expect(options).toEqual([{ delaySeconds: 5 }, { delaySeconds: 5 }]);
    expect(new Set(calls.flat().map(({ contentType }) => contentType))).toEqual(new Set(["bytes"]));
  });

  test("fails when any call fails, so that a request never succeeds of which the queue has only a part", async () => {
    const { queue } = fakeQueue(1);
    await expect(
      sendAll(
        queue,
        [...Array(3)].map(() => new Uint8Array(120_000)),
      ),
    ).rejects.toThrow("queue is away");
  });
});
