import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { durableBundles } from "./durable-bundles.ts";
import { EventSourceReader } from "./event-source.ts";
import { payment, startTestSystem, type TestSystem } from "./system.ts";

/** A log that takes everything, and that nobody ever reads. */
const log = createServer((request, response) => {
  sentToLog += 1;
  request.resume().on("end", () => response.writeHead(204).end());
});
let sentToLog = 0;
let tally: TestSystem;

beforeAll(async () => {
  log.listen(0, "127.0.0.1");
  await once(log, "listening");
  const queues = { url: `http://127.0.0.1:${(log.address() as AddressInfo).port}`, deliverTo: () => {} };
  tally = await startTestSystem(undefined, { bundleDir: await durableBundles(), queues });
});
afterAll(async () => {
  await tally?.stop();
  log.closeAllConnections();
  await new Promise((done) => log.close(done));
});

test("a payment is on the stream before anybody has read the log: it does not wait for what the log waits for", async () => {
  const url = `${tally.runtime.apiUrl}/v1/merchants/shop/live?tz=UTC`;
  const reader = await EventSourceReader.open(url, tally.operatorKey);
  await reader.find("the snapshot", ({ name }) => name === "snapshot");
  expect((await tally.send([payment()])).status).toBe(200);
  // A window that only opens, or closes, is told of too.
  await reader.find("the update", ({ name, data }) => name === "window" && data.window.reports[0]?.payments.count > 0);
  expect(sentToLog).toBeGreaterThan(0);
  reader.close();
});
