import { gzipSync } from "node:zlib";
import ingest from "../../workers/ingest/index.ts";
import type { Receipt } from "./receipt-rules.ts";
import type { Sent } from "./traffic.ts";
import type { World } from "./world.ts";

/** A source gives up waiting then, and sends again later. */
const PATIENCE_MS = 30_000;
const AGAIN_MS_MAX = 90_000;
const TRIES_MAX = 8;

/** Sends events as a source does: until it gets an answer, or gives up. Rejects with what an answer may never say. */
export async function sendAll(world: World, events: readonly Sent[]): Promise<void> {
  const isAsync = world.chance.is(0.3);
  const tries = world.chance.is(0.9) ? TRIES_MAX : 1;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (await sendOnce(world, events, isAsync)) return;
    await world.scheduler.sleep(world.chance.below(AGAIN_MS_MAX));
  }
}

/** True when there was an answer that ends it. */
async function sendOnce(world: World, events: readonly Sent[], isAsync: boolean): Promise<boolean> {
  const { machine, env } = world.ingest.any();
  const sent = world.model.send(events);
  const isInDoubt = world.doubtSince(world.scheduler.nowMs);
  const request = requestOf(world, events, isAsync);
  const ctx = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  const answer = machine.run(async () => await ingest.fetch(request, env, ctx as unknown as ExecutionContext));
  answer.catch(() => {}); // One that crashed answers nothing any more.
  const gone = Promise.race([machine.crashed, world.scheduler.sleep(PATIENCE_MS)]).then(() => undefined);
  const response = await Promise.race([answer, gone]);
  const names = events.map(({ token, identity }) => `${token}(${identity})`).join(" ");
  const what = `${machine.name} ${isAsync ? "async" : "sync"} ${names}`;
  if (response === undefined || world.weather.fateOf("network") !== "works") {
    world.note(`${what} → no answer`);
    return false;
  }
  const text = await response.text();
  world.note(`${what} → ${response.status} ${text.replace(/"message":"[^"]*",?/g, "").slice(0, 200)}`);
  if (response.status >= 500) return false;
  if (![200, 202, 422].includes(response.status)) throw new Error(`ingest answers ${response.status}: ${text}`);
  world.model.acknowledge(sent, JSON.parse(text) as Receipt, world.furthestMs, isInDoubt);
  return true;
}

function requestOf({ chance, authorization }: World, events: readonly Sent[], isAsync: boolean): Request {
  const isLines = chance.is(0.3);
  const bodies = events.map(({ body }) => body);
  const text = isLines ? bodies.map((body) => JSON.stringify(body)).join("\n") : JSON.stringify(bodies);
  const headers = new Headers({
    Authorization: authorization,
    "Content-Type": isLines ? "application/x-ndjson" : "application/json",
  });
  if (isAsync) headers.set("Prefer", "respond-async");
  const isPacked = chance.is(0.1);
  if (isPacked) headers.set("Content-Encoding", "gzip");
  return new Request("http://ingest/v1/events", { method: "POST", headers, body: isPacked ? gzipSync(text) : text });
}
