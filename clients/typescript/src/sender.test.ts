import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type Answer,
  allAccepted,
  type IngestStandIn,
  ingestStandIn,
  type SeenRequest,
} from "../test/ingest-stand-in.ts";
import type { NewPaymentEvent, PaymentEvent } from "./event.ts";
import type { ReceiptError } from "./receipt.ts";
import { type SenderOptions, type SendFailure, TallySender } from "./sender.ts";

const open: IngestStandIn[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** A sender and a server that answers as it is told; nobody waits between tries, or for a batch to be of age unless that is said. */
async function connected(
  answer: (request: SeenRequest, number: number) => Answer | Promise<Answer>,
  options: Partial<SenderOptions> = {},
) {
  const server = await ingestStandIn(answer);
  open.push(server);
  const sender = new TallySender({
    url: server.url,
    key: "k1",
    batchAgeMsMax: 1_000_000,
    deps: { sleep: async () => {}, random: () => 0.5 },
    ...options,
  });
  return { ...server, sender, sent: () => server.requests.map(({ lines }) => lines.map((line) => JSON.parse(line))) };
}

const payment = (over: Partial<NewPaymentEvent> = {}): NewPaymentEvent => ({
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: new Date(Date.UTC(2026, 10, 23)),
  amount: 550,
  currency: "JPY",
  payment_method: "qr",
  ...over,
});
/** Lets those run who wait for nothing but their turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("an event", () => {
  test("has its id before the first try, and the same one in each", async () => {
    const { sender, sent } = await connected((request, number) => (number < 3 ? "hang_up" : allAccepted(request)));
    const id = await sender.send(payment());
    await sender.flush();
    expect(sent().map(([event]) => event.event_id)).toEqual([id, id, id]);
    expect(sent()[0]?.[0]).toMatchObject({ amount: 550, occurred_at: "2026-11-23T00:00:00.000Z" });
    expect(sender.totals).toMatchObject({ accepted: 1, failed: 0 });
  });

  test("keeps an id it has, and is sent as it was when it was taken", async () => {
    const { sender, sent } = await connected(allAccepted);
    const event = payment({ event_id: "p-1" });
    expect(await sender.send(event)).toBe("p-1");
    event.amount = 1;
    await sender.close();
    expect(sent()).toMatchObject([[{ event_id: "p-1", amount: 550 }]]);
  });

  test("that is rejected, or a duplicate that says something else, is told with why", async () => {
    const errors = [
      { index: 0, code: "conflict", message: "seen before" },
      { index: 2, event_id: "c", code: "invalid_value", path: "amount", message: "no" },
    ];
    const told: [PaymentEvent, ReceiptError][] = [];
    const onReceipt = vi.fn();
    const { sender } = await connected(
      () => ({ status: 200, body: { accepted: 1, duplicates: 1, rejected: 1, errors } }),
      { onEventError: (event, error) => told.push([event, error]), onReceipt },
    );
    for (const event_id of ["a", "b", "c"]) await sender.send(payment({ event_id }));
    expect(await sender.close()).toMatchObject({ accepted: 1, duplicates: 1, rejected: 1, failed: 0 });
    expect(told.map(([{ event_id }, { code }]) => [event_id, code])).toEqual([
      ["a", "conflict"],
      ["c", "invalid_value"],
    ]);
    expect(onReceipt.mock.calls.map(([receipt, events]) => [receipt.accepted, events.length])).toEqual([[1, 3]]);
  });
});

describe("a batch goes out", () => {
  test("when it has so many events", async () => {
    const { sender, sent } = await connected(allAccepted, { batchEventsMax: 2 });
    for (let n = 0; n < 5; n++) await sender.send(payment({ event_id: `e${n}` }));
    await sender.close();
    const sizes = sent().map((events) => events.length);
    expect(sizes.sort()).toEqual([1, 2, 2]);
  });

  test("before it has too many bytes; a larger event goes by itself", async () => {
    const { sender, requests, sent } = await connected(allAccepted, { batchBytesMax: 400, gzip: false });
    for (const event_id of ["a", "b", "c", "d"]) await sender.send(payment({ event_id }));
    await sender.send(payment({ event_id: "large", attributes: { note: "x".repeat(500) } }));
    await sender.close();
    const large = sent().findIndex(([event]) => event.event_id === "large");
    expect(sent()[large]).toHaveLength(1);
    expect(requests.filter((_, at) => at !== large).every(({ bodyBytes }) => bodyBytes <= 400)).toBe(true);
    expect(sent().flat()).toHaveLength(5);
  });

  test("when its first event has waited long enough", async () => {
    const { sender, seen, sent } = await connected(allAccepted, { batchAgeMsMax: 20 });
    await sender.send(payment());
    await sender.send(payment());
    await seen(1);
    expect(sent()[0]).toHaveLength(2);
  });

  test("when it is flushed; a flush waits for the answers, and for none if there is nothing", async () => {
    const { sender } = await connected(allAccepted);
    await sender.flush();
    await sender.send(payment());
    await sender.flush();
    expect([sender.totals.accepted, sender.held]).toEqual([1, 0]);
  });

  test("compressed, unless that is turned off, and asynchronous where that is asked", async () => {
    const zipped = await connected(allAccepted, { async: true });
    await zipped.sender.send(payment());
    await zipped.sender.close();
    expect(zipped.requests[0]?.headers).toMatchObject({ "content-encoding": "gzip", prefer: "respond-async" });
    const plain = await connected(allAccepted, { gzip: false });
    await plain.sender.send(payment());
    await plain.sender.close();
    expect(plain.requests[0]?.headers["content-encoding"]).toBeUndefined();
  });
});

test("a server that is slower than its sender makes the sender wait: no more than the limit is ever held", async () => {
  const gate = Promise.withResolvers<void>();
  const answer = async (request: SeenRequest) => {
    await gate.promise;
    return allAccepted(request);
  };
  const { sender, requests, seen } = await connected(answer, { batchEventsMax: 2, heldEventsMax: 6, requestsMax: 2 });
  let taken = 0;
  const sending = Array.from({ length: 20 }, async (_, n) => {
    await sender.send(payment({ event_id: `e${n}` }));
    taken += 1;
  });
  await seen(2);
  await turn();
  expect([taken, sender.held, requests.length]).toEqual([6, 6, 2]);
  gate.resolve();
  const totals = await sender.close();
  await Promise.all(sending);
  expect(totals).toMatchObject({ accepted: 20, failed: 0 });
  const ids = requests.flatMap(({ lines }) => lines.map((line) => JSON.parse(line).event_id));
  expect(new Set(ids).size).toBe(20);
});

describe("what fails for good", () => {
  test("is told with its events, and the next batches are sent all the same", async () => {
    const failures: [SendFailure, readonly PaymentEvent[]][] = [];
    const { sender } = await connected(
      (request, number) => (number === 1 ? { status: 413, body: { title: "Too large" } } : allAccepted(request)),
      { batchEventsMax: 1, requestsMax: 1, onFailure: (failure, events) => failures.push([failure, events]) },
    );
    for (const event_id of ["a", "b"]) await sender.send(payment({ event_id }));
    expect(await sender.close()).toMatchObject({ accepted: 1, failed: 1 });
    expect(failures).toMatchObject([[{ reason: "refused", status: 413 }, [{ event_id: "a" }]]]);
  });

  test("after so many tries is given up", async () => {
    const onFailure = vi.fn();
    const onRetry = vi.fn();
    const { sender, requests } = await connected(() => ({ status: 503 }), { attemptsMax: 3, onFailure, onRetry });
    await sender.send(payment());
    await sender.close();
    expect([requests.length, onRetry.mock.calls.length]).toEqual([3, 2]);
    expect(onFailure.mock.calls[0]?.[0]).toMatchObject({ reason: "gave_up", attempts: 3 });
  });

  test("is everything once the signal fires, requests under way included", async () => {
    const stop = new AbortController();
    const onFailure = vi.fn();
    const { sender, seen } = await connected(() => "never", { signal: stop.signal, onFailure });
    await sender.send(payment());
    const closed = sender.close();
    await seen(1);
    stop.abort();
    expect(await closed).toMatchObject({ failed: 1 });
    expect(onFailure.mock.calls[0]?.[0]).toMatchObject({ reason: "stopped" });
  });
});

test("after close nothing is taken, and a URL that is none is told at once", async () => {
  const { sender } = await connected(allAccepted);
  await sender.close();
  await expect(sender.send(payment())).rejects.toThrow("closed");
  expect(() => new TallySender({ url: "nowhere", key: "k" })).toThrow(RangeError);
});
