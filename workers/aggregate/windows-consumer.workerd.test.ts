import { drizzle } from "drizzle-orm/d1";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeWindowsMessage } from "../../shared/messages/windows.ts";
import { ReportCounter } from "../../shared/report.ts";
import { toRow, type WindowRow } from "../../shared/window-row.ts";
import { deadLetters } from "../directory/schema.ts";
import { openDirectory } from "../directory/test-directory.ts";
import { gzip } from "../gzip.ts";
import { RETENTION_MARGIN_MS } from "./engine.ts";
import { HOUR_MS, MINUTE_MS, NOON_MS, payment, payments } from "./sample-payments.ts";
import { deliver, type TestMessage } from "./test-queue.ts";
import { TestShard, workerEnv } from "./test-shard.ts";

const QUEUE = "tally-windows";
const CLOSES_MS = NOON_MS + 12 * MINUTE_MS;
/** From here on a shard keeps the window only if history has not confirmed it. */
const GOES_MS = NOON_MS + 10 * MINUTE_MS + 24 * HOUR_MS + RETENTION_MARGIN_MS;

let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});

/** Stands in for ClickHouse: takes whole inserts, refuses those with a row of the merchant `refused`, or is away. */
let inserts: WindowRow[][];
let answer: (rows: readonly WindowRow[]) => Response | Promise<Response>;
const accepted = () => new Response("");
const refusal = (code: number, name: string) =>
  new Response(`Code: ${code}. DB::Exception: Cannot have this: (at row 1). (${name}) (version 26.7.1.1)`, {
    status: 400,
    headers: { "X-ClickHouse-Exception-Code": String(code) },
  });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON_MS });
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  inserts = [];
  answer = (rows) =>
    rows.some((row) => row.merchant_id === "refused") ? refusal(27, "CANNOT_PARSE_INPUT") : accepted();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as RequestInfo, init as RequestInit);
    expect(request.url).toContain("INSERT+INTO+windows+FORMAT+JSONEachRow");
    const rows = (await request.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const response = await answer(rows);
    if (response.ok) inserts.push(rows);
    return response;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let messages = 0;
function messageOf(merchants: readonly string[], attempts = 1): TestMessage {
  const rows = merchants.map((merchantId) =>
    toRow({ merchantId, currency: "JPY", startMs: NOON_MS, revision: 1, report: new ReportCounter().report() }),
  );
  const text = encodeWindowsMessage({ shard: "0".repeat(64), emission: messages, part: 0, rows });
  return { id: `windows-${messages++}`, body: gzip(text).buffer, attempts };
}

const merchantsOf = (rows: readonly WindowRow[]) => rows.map((row) => row.merchant_id);
const idsOf = (batch: readonly TestMessage[]) => batch.map(({ id }) => id);

async function buried(ids: readonly string[]) {
  const rows = await drizzle(directory).select().from(deadLetters);
  return rows.filter(({ id }) => ids.includes(id));
}

describe("closed windows", () => {
  test("of a whole batch are stored in one insert, then acknowledged", async () => {
    const batch = [messageOf(["a", "b"]), messageOf(["c"])];
    expect(await deliver(QUEUE, batch)).toEqual({ acknowledged: idsOf(batch), retried: {} });
    expect(inserts.map(merchantsOf)).toEqual([["a", "b", "c"]]);
  });

  test("are confirmed to their shard, which then knows how far history goes, and may forget", async () => {
    const shard = new TestShard("shard-confirmed");
    await shard.apply([payment({ event_id: "a" }), payment({ event_id: "b", merchant_id: "other" })]);
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
    const rows = [...(await shard.read()).windows, ...(await shard.read("other")).windows];
    const sent = shard.sent.map((body, i) => ({ id: `confirmed-${i}`, body: body.buffer }));
    await deliver(QUEUE, sent);
    expect(inserts).toEqual([rows]);
    vi.setSystemTime(GOES_MS);
    expect((await shard.read()).retained_from).toBeGreaterThan(NOON_MS);
    // Delivered once more, as a queue may.
    await deliver(QUEUE, sent);
    expect((await shard.read()).retained_from).toBeGreaterThan(NOON_MS);
  });

  test("count as stored although their shard cannot be told: it will send them again", async () => {
    const batch = [messageOf(["a"])];
    const broken = { SHARD: { idFromString: () => ({}), get: () => ({}) } };
    expect((await deliver(QUEUE, batch, broken)).acknowledged).toEqual(idsOf(batch));
    expect(inserts.length).toBe(1);
  });

  test("too many to be unpacked at once are stored in several inserts", async () => {
    const merchants = Array.from({ length: 60 }, () => crypto.getRandomValues(new Uint8Array(24)).toHex());
    const bytes = (messageOf(merchants).body as ArrayBuffer).byteLength;
    const many = Array.from({ length: Math.ceil(2_000_000 / bytes) }, () => messageOf(merchants));
    expect((await deliver(QUEUE, many)).acknowledged).toEqual(idsOf(many));
    expect(inserts.length).toBe(2);
    expect(inserts.flat().length).toBe(60 * many.length);
  });
});

describe("while ClickHouse is away", () => {
  const outages: Record<string, () => Response | Promise<Response>> = {
    "it cannot be reached": () => Promise.reject(new TypeError("connection refused")),
    "a proxy answers for it": () => new Response("Bad gateway", { status: 502 }),
    "it is out of memory": () => refusal(241, "MEMORY_LIMIT_EXCEEDED"),
    "it does not know the password": () => refusal(516, "AUTHENTICATION_FAILED"),
    "the table is not there yet": () => refusal(60, "UNKNOWN_TABLE"),
    "there are too many parts": () => refusal(252, "TOO_MANY_PARTS"),
  };

  for (const [reason, away] of Object.entries(outages)) {
    test(`because ${reason}, messages wait, longer each time, and none is buried`, async () => {
      answer = away;
      const batch = [1, 2, 3, 10, 100].map((attempts) => messageOf(["a"], attempts));
      const { acknowledged, retried } = await deliver(QUEUE, batch);
      expect(acknowledged).toEqual([]);
      const delays = idsOf(batch).map((id) => Number(retried[id]));
      expect(delays).toEqual([...new Set(delays)].sort((a, b) => a - b));
      expect(await buried(idsOf(batch))).toEqual([]);
      answer = accepted;
      expect((await deliver(QUEUE, batch)).acknowledged).toEqual(idsOf(batch));
    });
  }

  test("a shard is not told that anything is stored", async () => {
    const shard = new TestShard("shard-unconfirmed");
    await shard.apply(payments("a", 1));
    vi.setSystemTime(CLOSES_MS);
    await shard.catchWindows();
    await shard.ring();
    answer = () => new Response("", { status: 503 });
    await deliver(QUEUE, [{ id: "unconfirmed", body: shard.sent[0]?.buffer }]);
    vi.setSystemTime(GOES_MS);
    expect((await shard.read()).retained_from).toBe(NOON_MS);
  });
});

describe("a message ClickHouse refuses", () => {
  test("is buried by itself, with what ClickHouse said; the others are stored", async () => {
    const batch = [messageOf(["a"]), messageOf(["b", "refused"]), messageOf(["c"])];
    expect(await deliver(QUEUE, batch)).toEqual({ acknowledged: idsOf(batch), retried: {} });
    expect(inserts.flatMap(merchantsOf)).toEqual(["a", "c"]);
    const [letter, ...others] = await buried(idsOf(batch));
    expect(others).toEqual([]);
    expect([letter?.id, letter?.queue]).toEqual([batch[1]?.id, QUEUE]);
    expect(letter?.reason).toContain("ClickHouse refuses its rows");
    expect((await workerEnv.ARCHIVE.head(letter?.bodyKey ?? ""))?.size).toBe(letter?.bodyBytes);
  });

  test("is waited for, not buried, when ClickHouse goes away before it is known which one it is", async () => {
    const batch = [messageOf(["a"]), messageOf(["refused"])];
    let calls = 0;
    answer = () => (calls++ === 0 ? refusal(27, "CANNOT_PARSE_INPUT") : new Response("", { status: 503 }));
    expect(await deliver(QUEUE, batch)).toEqual({
      acknowledged: [],
      retried: Object.fromEntries(idsOf(batch).map((id) => [id, 2])),
    });
    expect(await buried(idsOf(batch))).toEqual([]);
  });
});

test("a message that cannot be read is buried, and its neighbours are stored", async () => {
  const good = messageOf(["a"]);
  const cut = { ...messageOf(["b"]), body: (messageOf(["b"]).body as ArrayBuffer).slice(0, 40) };
  const broken: TestMessage[] = [
    cut,
    { id: "windows-text", body: "text" },
    { id: "windows-no-gzip", body: new Uint8Array([1, 2, 3]).buffer },
    { id: "windows-no-rows", body: gzip(JSON.stringify({ v: 1, shard: "0".repeat(64), emission: 1, part: 0 })).buffer },
    { id: "windows-newer", body: gzip(JSON.stringify({ v: 2, rows: [] })).buffer },
  ];
  const { acknowledged, retried } = await deliver(QUEUE, [...broken, good]);
  expect(acknowledged).toEqual([...idsOf(broken), good.id]);
  expect(retried).toEqual({});
  expect(inserts.map(merchantsOf)).toEqual([["a"]]);
  expect((await buried(idsOf(broken))).length).toBe(broken.length);
});
