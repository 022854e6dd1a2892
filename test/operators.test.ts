import { afterAll, beforeAll, expect, test } from "vitest";
import { EPOCH_LEAD_MS } from "../shared/topology-plan.ts";
import { WINDOW_MS } from "../shared/window.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

const postTopology = (body: object) =>
  fetch(`${tally.runtime.apiUrl}/v1/admin/topology`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

test("an operator adds shards from a window on that no isolate can miss, and is refused an earlier one", async () => {
  const tooSoon = await postTopology({
    from: new Date(Date.now() - (Date.now() % WINDOW_MS)).toISOString(),
    shards: 128,
  });
  expect(tooSoon.status).toBe(422);
  const from = new Date(Math.ceil((Date.now() + EPOCH_LEAD_MS + WINDOW_MS) / WINDOW_MS) * WINDOW_MS).toISOString();
  const added = await postTopology({ from, shards: 128 });
  expect(added.status).toBe(201);
  expect(await added.json()).toEqual({ id: 2, from, shards: 128, overrides: {} });
  const listed = await (await tally.read("/v1/admin/topology")).json();
  expect(listed).toMatchObject({
    epochs: [
      { id: 1, shards: 2 },
      { id: 2, shards: 128 },
    ],
  });
  expect((await tally.read("/v1/admin/topology", tally.sourceKey)).status).toBe(401);
});

test("a message that cannot be read is a dead letter that an operator sees, and the ones beside it are counted", async () => {
  const queue = await tally.runtime.miniflare.getQueueProducer<Uint8Array>("RAW", "tally-ingest");
  const event = payment({ merchant_id: "beside-poison", occurred_at: Date.now() - 60_000 });
  await queue.send(new TextEncoder().encode("poison"), { contentType: "bytes" });
  await tally.send([event], { Prefer: "respond-async" });
  const dead = await until("the dead letter", async () => {
    const { dead_letters } = (await (await tally.read("/v1/admin/dead-letters")).json()) as { dead_letters: object[] };
    return dead_letters[0];
  });
  expect(dead).toMatchObject({ queue: "tally-raw", reason: "not a raw message", body_bytes: 6 });
  await until("its neighbour", async () => {
    const response = await tally.read(`/v1/merchants/beside-poison/report?at=${event.occurred_at}`);
    const { reports } = (await response.json()) as { reports: { payments: { count: number } }[] };
    return reports[0]?.payments.count === 1 ? true : undefined;
  });
});
