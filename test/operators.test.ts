import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { smokeTest } from "../scripts/deploy/smoke-test.ts";
import { EPOCH_LEAD_MS } from "../shared/topology-plan.ts";
import { HOUR_MS, WINDOW_MS } from "../shared/window.ts";
import { readOpenMetrics } from "../workers/health/test-open-metrics.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;
/** Lines of all Workers. */
const logged: string[] = [];

beforeAll(async () => {
  tally = await startTestSystem(undefined, { traceShare: "1", onLog: ({ message }) => void logged.push(message) });
});
afterAll(() => tally?.stop());

const post = (path: string, body: object) =>
  fetch(`${tally.runtime.apiUrl}/v1/admin/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
const postTopology = (body: object) => post("topology", body);

interface DeadLetter {
  readonly id: string;
  readonly body_key: string;
}

async function deadLetters(): Promise<readonly DeadLetter[]> {
  const { dead_letters } = (await (await tally.read("/v1/admin/dead-letters")).json()) as {
    dead_letters: DeadLetter[];
  };
  return dead_letters;
}

/** Samples of metrics, and by how much they rise by what is sent and read. */
const RISES: Readonly<Record<string, number>> = {
  'tally_receipt_events_total{kind="accepted"}': 7,
  'tally_receipt_events_total{kind="duplicates"}': 4,
  'tally_rejected_events_total{code="invalid_value"}': 1,
  'tally_rejected_events_total{code="in_the_future"}': 2,
  'tally_ingest_requests_total{outcome="answered"}': 2,
  "tally_ingest_request_seconds_count{}": 2,
  // Those that were answered from the isolate's memory, too.
  'tally_api_requests_total{route="metrics",status="2xx"}': 5,
  'tally_api_request_seconds_count{route="metrics"}': 5,
  'tally_api_requests_total{route="report",status="4xx"}': 1,
  // The log brought all eleven, which ingest had had counted.
  'tally_log_events_total{outcome="counted_before"}': 11,
  'tally_queue_messages_total{queue="tally-raw",outcome="acknowledged"}': 2,
};

interface Part {
  readonly verdict: string;
  readonly reason: string | null;
}

async function health() {
  const answer = await tally.read("/v1/admin/health");
  expect(answer.status).toBe(200);
  return (await answer.json()) as {
    verdict: string;
    parts: Record<string, Part> & {
      ingest: Part & { events: Record<string, number>; rejected_by_code: Record<string, number> };
      dead_letters: Part & { waiting: Record<string, number> };
      log: Part & { delivered: number };
    };
  };
}

/** As a scraper reads them. */
async function metrics(): Promise<Map<string, number>> {
  const answer = await tally.read("/v1/admin/metrics");
  expect(answer.headers.get("Content-Type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  return readOpenMetrics(await answer.text());
}

test("health says of an idle system that it is well, and of each part its numbers; it is for operators, and in no log", async () => {
  // What has just begun may take longer to answer, the first time, than it is waited for.
  const { verdict, parts } = await until("every part to be well", async () => {
    const seen = await health();
    return seen.verdict === "ok" ? seen : undefined;
  });
  expect(Object.entries(parts).filter(([, part]) => part.verdict !== "ok")).toEqual([]);
  expect(verdict).toBe("ok");
  expect(parts.shards).toMatchObject({ shards: 2, asked: 2, reachable: 2, failed_calls: 0 });
  expect((await tally.read("/v1/admin/health", await tally.merchantKey("shop"))).status).toBe(403);
  const { entries } = (await (await tally.read("/v1/admin/log")).json()) as {
    entries: { route: string; status: number }[];
  };
  expect(entries.filter(({ route, status }) => route === "/v1/admin/health" && status !== 403)).toEqual([]);
});

test("the numbers move by exactly what was sent: accepted, duplicates, and rejected by their codes", async () => {
  const before = (await health()).parts;
  const metricsBefore = await metrics();
  const events = Array.from({ length: 7 }, () => payment({ merchant_id: "metered", occurred_at: Date.now() - 1_000 }));
  const bad = [
    { ...payment(), currency: "euro" },
    { ...payment(), occurred_at: Date.now() + HOUR_MS },
    { ...payment(), occurred_at: Date.now() + HOUR_MS },
  ];
  expect((await tally.send(events)).status).toBe(200);
  const shopKey = await tally.merchantKey("metered");
  const path = "/v1/merchants/metered/metrics?from=2026-01-01&to=2026-01-02";
  for (let n = 0; n < 5; n++) expect((await tally.read(path, shopKey)).status).toBe(200);
  expect((await tally.read("/v1/merchants/shop/report", shopKey)).status).toBe(403);
  const mixed = [...events.slice(0, 4), ...bad].map((event) => JSON.stringify(event)).join("\n");
  expect(await (await tally.post(mixed)).json()).toMatchObject({ duplicates: 4, rejected: 3 });
  const { parts: after, rises } = await until("the counts", async () => {
    const { parts } = await health();
    const told = await metrics();
    const rises = Object.keys(RISES).map((sample) => [
      sample,
      (told.get(sample) ?? 0) - (metricsBefore.get(sample) ?? 0),
    ]);
    const isCounted =
      parts.ingest.events.rejected === (before.ingest.events.rejected ?? 0) + 3 &&
      parts.log.delivered >= before.log.delivered + 2 &&
      // Each isolate tells of its own, every few seconds, and not all of a test at once.
      rises.every(([sample = "", rise = 0]) => Number(rise) >= (RISES[sample] ?? 0));
    return isCounted ? { parts, rises: Object.fromEntries(rises) } : undefined;
  });
  expect(after.ingest.events).toEqual({ ...before.ingest.events, accepted: 7, duplicates: 4, rejected: 3 });
  expect(after.ingest.rejected_by_code).toEqual({ invalid_value: 1, in_the_future: 2 });
  expect(after.ingest.verdict).toBe("ok");
  expect(rises).toEqual(RISES);
  expect((await metrics()).get("tally_archive_objects_total{}")).toBeGreaterThan(
    metricsBefore.get("tally_archive_objects_total{}") ?? 0,
  );
});

test.each([
  ["counted at once", {}],
  ["counted from the log", { Prefer: "respond-async" }],
])(
  "a request %s is followed by its id: by ingest, the log's consumer and the shard, with the object it is archived in",
  async (_, headers) => {
    const event = { ...payment({ merchant_id: "followed" }), user: { email: "eve@example.com", name: "Eve" } };
    const answer = await tally.post(JSON.stringify(event), headers);
    const request = answer.headers.get("X-Request-Id") ?? "none";
    const linesOf = (message: string) =>
      logged
        .filter((line) => line.includes(request))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => line.message === message);
    const [counted] = await until("the consumer's line", async () => {
      const lines = linesOf("log batch counted");
      return lines.length > 0 ? lines : undefined;
    });
    expect(linesOf("events taken")).toMatchObject([{ level: "info", request, source: "test-source" }]);
    expect(linesOf("shard counted")).toMatchObject([{ level: "info", requests: [request], events: 1, accepted: 1 }]);
    const [key = ""] = (counted?.objects ?? []) as string[];
    const object = await tally.runtime.archive.get(key);
    const lines = gunzipSync(Buffer.from((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toString();
    expect(lines).toContain(`"batch":"${request}"`);
    expect(logged.filter((line) => /eve@example|"Eve"|tally_(src|opr|mch)_\w+_/.test(line))).toEqual([]);
  },
);

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
  expect((await tally.read("/v1/admin/topology", tally.sourceKey)).status).toBe(403);
});

test("a message that cannot be read is a dead letter that an operator sees, and the ones beside it are counted", async () => {
  const queue = await tally.runtime.miniflare.getQueueProducer<Uint8Array>("RAW", "tally-ingest");
  const event = payment({ merchant_id: "beside-poison", occurred_at: Date.now() - 60_000 });
  await queue.send(new TextEncoder().encode("poison"), { contentType: "bytes" });
  await tally.send([event], { Prefer: "respond-async" });
  const dead = await until("the dead letter", async () => (await deadLetters())[0]);
  expect(dead).toMatchObject({ queue: "tally-raw", reason: "not a raw message", body_bytes: 6 });
  const { verdict, parts } = await health();
  expect(verdict).toBe("degraded");
  expect(parts.dead_letters).toMatchObject({ verdict: "degraded", waiting: { raw: 1, windows: 0 } });
  await until("its neighbour", async () => {
    const response = await tally.read(`/v1/merchants/beside-poison/report?at=${event.occurred_at}`);
    const { reports } = (await response.json()) as { reports: { payments: { count: number } }[] };
    return reports[0]?.payments.count === 1 ? true : undefined;
  });
});

test("a dead letter that is put back comes to its consumer again: what it cannot read is another letter", async () => {
  const [poison] = await deadLetters();
  if (poison === undefined) throw new Error("no dead letter");
  const answer = await post("dead-letters/redrive", { ids: [poison.id, "no-such-letter"] });
  expect(await answer.json()).toEqual({
    redriven: [poison.id],
    failed: [{ id: "no-such-letter", reason: expect.any(String) }],
    more: false,
  });
  const again = await until("it to die again", async () => (await deadLetters())[0]);
  expect(again).toMatchObject({ reason: "not a raw message", body_bytes: 6 });
  expect(again.id).not.toBe(poison.id);
  const all = await (await post("dead-letters/redrive", { all: true, queue: "tally-raw" })).json();
  expect(all).toEqual({ redriven: [again.id], failed: [], more: false });
  const twice = await (await post("dead-letters/redrive", { ids: [again.id] })).json();
  expect(twice).toMatchObject({ redriven: [], failed: [{ id: again.id }] });
  const third = await until("it to die once more", async () => (await deadLetters())[0]);
  const { body_key } = third;
  expect(await (await post("dead-letters/discard", { ids: [third.id] })).json()).toEqual({
    discarded: [third.id],
    failed: [],
  });
  expect(await deadLetters()).toEqual([]);
  expect(await tally.runtime.archive.head(body_key)).toBeNull();
});

test.each<[string, object]>([
  ["no letters", { ids: [] }],
  ["a queue that is none", { all: true, queue: "tally-other" }],
  ["nothing", {}],
])("to put back %s is refused", async (_, body) => {
  expect((await post("dead-letters/redrive", body)).status).toBe(422);
});

describe("the smoke test of a deployment", () => {
  const query = async (sql: string, params: readonly string[]) =>
    (
      await tally.runtime.directory
        .prepare(sql)
        .bind(...params)
        .all()
    ).results;

  test("passes where an event goes in and its number comes out, twice over, and leaves no key that holds", async () => {
    const urls = { ingestUrl: tally.runtime.ingestUrl, apiUrl: tally.runtime.apiUrl };
    const steps: string[] = [];
    for (const _ of [1, 2]) await smokeTest({ ...urls, query, onStep: (step) => steps.push(step) });
    expect(steps).toHaveLength(10);
    const held = "SELECT id FROM keys WHERE subject = 'tally-smoke-test' AND revoked_at IS NULL";
    expect(await query(held, [])).toEqual([]);
  });

  test("says what was answered instead, where a source's key is not taken", async () => {
    const urls = { ingestUrl: tally.runtime.ingestUrl, apiUrl: tally.runtime.apiUrl };
    const withoutSource = async (sql: string, params: readonly string[]) =>
      params.includes("source") ? [] : await query(sql, params);
    await expect(smokeTest({ ...urls, query: withoutSource, onStep: () => {} })).rejects.toThrow(
      /the first event is answered 401/,
    );
  });
});
