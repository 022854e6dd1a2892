import { afterEach, expect, test } from "vitest";
import { type Answer, type IngestStandIn, ingestStandIn, type SeenRequest } from "../test/ingest-stand-in.ts";
import { TallyProblem } from "./problem.ts";
import { TallyReader } from "./reader.ts";

const open: IngestStandIn[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function connected(answer: (request: SeenRequest, number: number) => Answer) {
  const server = await ingestStandIn(answer);
  open.push(server);
  const waitsMs: number[] = [];
  const sleep = async (ms: number) => void waitsMs.push(ms);
  const reader = new TallyReader({ url: `${server.url}/`, key: "k1", deps: { sleep, random: () => 0 } });
  return { ...server, reader, waitsMs };
}
const report = { status: 200, body: { merchant_id: "shop 1", reports: [] } };

test("parameters go as the API reads them: moments in milliseconds, lists with commas, none that are undefined", async () => {
  const { reader, requests } = await connected(() => report);
  const answer = await reader.metrics("shop 1", {
    from: new Date(1_000),
    to: "today",
    granularity: "1h",
    currency: ["JPY", "USD"],
    compare: "year_ago",
  });
  await reader.report("shop-1");
  expect(answer).toEqual(report.body);
  expect(requests.map(({ path }) => path)).toEqual([
    "/v1/merchants/shop%201/metrics?from=1000&to=today&granularity=1h&currency=JPY%2CUSD&compare=year_ago",
    "/v1/merchants/shop-1/report",
  ]);
  expect(requests[0]?.headers.authorization).toBe("Bearer k1");
});

test("a query goes as a body, and is tried again as any read", async () => {
  const answer = { rows: [{ currency: "JPY", weekday: 5, "payments.count": 3 }], truncated: false };
  const { reader, requests } = await connected((_, number) =>
    number === 1 ? { status: 503 } : { status: 200, body: answer },
  );
  const body = { metrics: ["payments.count"], dimensions: ["weekday"], where: { payment_method: { in: ["qr"] } } };
  expect(await reader.query("shop 1", body)).toEqual(answer);
  expect(requests.map(({ path, lines }) => [path, JSON.parse(lines.join(""))])).toEqual(
    Array(2).fill(["/v1/merchants/shop%201/query", body]),
  );
  expect(requests[1]?.headers["content-type"]).toBe("application/json");
});

test("events are gone through page by page, and no page is asked for that is not wanted", async () => {
  const page = (ids: string[], next_cursor: string | null) => ({
    status: 200,
    body: { events: ids.map((event_id) => ({ event_id })), next_cursor },
  });
  const pages = [page(["a", "b"], "c1"), page([], "c2"), page(["c"], null)];
  const { reader, requests } = await connected((_, number) => pages[number - 1] ?? "hang_up");
  const ids: string[] = [];
  for await (const { event_id } of reader.events("shop", { from: "today", payment_method: "qr" })) {
    ids.push(event_id);
    if (event_id === "b") expect(requests).toHaveLength(1);
  }
  expect(ids).toEqual(["a", "b", "c"]);
  const path = "/v1/merchants/shop/events?from=today&payment_method=qr";
  expect(requests.map((request) => request.path)).toEqual([path, `${path}&cursor=c1`, `${path}&cursor=c2`]);
});

test("a page for which there was no time is asked for again, or gone on from, after as long as it says", async () => {
  const page = (ids: string[], next_cursor: string | null, next_after_s: number) => ({
    status: 200,
    body: { events: ids.map((event_id) => ({ event_id })), next_cursor, next_after_s },
  });
  const pages = [page([], "c1", 3), page([], "c1", 4), page(["a"], "c2", 0), page(["b"], null, 0)];
  const { reader, requests, waitsMs } = await connected((_, number) => pages[number - 1] ?? "hang_up");
  const ids = await Array.fromAsync(reader.events("shop"), ({ event_id }) => event_id);
  expect(ids).toEqual(["a", "b"]);
  expect(waitsMs).toEqual([3_000, 4_000]);
  expect(requests).toHaveLength(4);
});

test("a problem is an error with all it says", async () => {
  const body = { title: "Unknown zone", status: 400, code: "invalid_parameter", parameter: "tz", detail: "No such." };
  const { reader, requests } = await connected(() => ({ status: 400, body }));
  const error = await reader.metrics("shop-1", { tz: "Mars" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TallyProblem);
  expect(error).toMatchObject({ status: 400, code: "invalid_parameter", parameter: "tz", body });
  expect((error as Error).message).toBe("400 Unknown zone: No such.");
  expect(requests).toHaveLength(1);
});

test("what may succeed another time is tried again, no sooner than Retry-After says", async () => {
  const { reader, waitsMs } = await connected((_, number) => {
    if (number === 1) return { status: 429, headers: { "retry-after": "2" } };
    return number === 2 ? "hang_up" : report;
  });
  expect(await reader.get("/v1/merchants/shop-1/report")).toEqual(report.body);
  expect(waitsMs).toEqual([2_000, 0]);
});

test("a server that stays away is a problem after three tries, and a page that is not Tally's is one, too", async () => {
  const { reader, requests } = await connected(() => ({ status: 502, body: "<html>" }));
  const error = await reader.report("shop-1").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ status: 502, code: "", message: "502 (no explanation)" });
  expect(requests).toHaveLength(3);
  const other = await connected(() => ({ status: 200, body: "<html>" }));
  await expect(other.reader.report("shop-1")).rejects.toThrow("200 The answer is not JSON");
  expect(other.requests).toHaveLength(1);
});

test("a redirect is told, not followed, and a signal ends a read without another try", async () => {
  const moved = await connected(() => ({ status: 307, headers: { location: "http://127.0.0.1:9/" } }));
  await expect(moved.reader.report("shop-1")).rejects.toMatchObject({ status: 307 });
  const silent = await connected(() => "never");
  const stop = new AbortController();
  const read = silent.reader.report("shop-1", {}, stop.signal);
  await silent.seen(1);
  stop.abort();
  await expect(read).rejects.toMatchObject({ name: "AbortError" });
  expect(silent.requests).toHaveLength(1);
});
