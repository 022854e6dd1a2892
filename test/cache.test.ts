import { afterAll, beforeAll, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { BELIEVED_MS } from "../workers/api/cache/lifetime.ts";
import { PATIENCE } from "../workers/circuit-breaker.ts";
import { type SearchProxy, startSearchProxy } from "./search-proxy.ts";
import { answered as answeredInTime, payment, startTestSystem, type TestSystem, until } from "./system.ts";

let tally: TestSystem;
let history: SearchProxy;
let shopKey: string;
/** Lines of all Workers. */
const logged: string[] = [];

beforeAll(async () => {
  history = await startSearchProxy();
  tally = await startTestSystem(undefined, {
    clickhouseUrl: history.url,
    onLog: ({ message }) => void logged.push(message),
  });
  history.target = tally.clickhouse.url;
  shopKey = await tally.merchantKey("shop");
});
afterAll(async () => {
  await tally?.stop();
  await history?.stop();
});

interface Shown {
  readonly stale?: true;
  readonly as_of: string;
  readonly series: readonly {
    readonly total: { readonly payments: { readonly count: number; readonly amount: number } };
  }[];
}

/** Long enough ago to be final, in the shard's memory no more. */
const finalMs = windowStart(Date.now()) - 3 * DAY_MS;
const closedMs = () => windowStart(Date.now()) - 3 * WINDOW_MS;

function pathOf(query: string, merchant = "shop"): string {
  return `/v1/merchants/${merchant}/metrics?${query}`;
}

function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const own = { Authorization: `Bearer ${shopKey}`, "Accept-Encoding": "identity" };
  return fetch(`${tally.runtime.apiUrl}${path}`, { headers: { ...own, ...headers } });
}

async function countOf(path: string): Promise<number> {
  const { series } = (await (await answeredInTime(() => ask(path))).json()) as Shown;
  return series[0]?.total.payments.count ?? 0;
}

async function amountOf(path: string): Promise<number> {
  const { series } = (await (await answeredInTime(() => ask(path))).json()) as Shown;
  return series[0]?.total.payments.amount ?? 0;
}

/** Asks until the number is right: all that is asked for when an answer of `sinceMs` is believed no more has it. */
async function untilRight(what: string, sinceMs: number, isRight: () => Promise<boolean>): Promise<void> {
  await until(what, async () => {
    const isBelieved = Date.now() - sinceMs <= BELIEVED_MS;
    const right = await isRight();
    if (!isBelieved) expect(right).toBe(true);
    return right ? true : undefined;
  });
}

const isHit = (answer: Response) => answer.headers.get("Cache-Status")?.startsWith("tally; hit") === true;

test("the same question is answered from the cache, however it is worded; another tenant's never is", async () => {
  const [from, to] = [finalMs - HOUR_MS, finalMs];
  const first = await ask(pathOf(`from=${from}&to=${to}&currency=usd,jpy`));
  expect(first.headers.get("Cache-Status")).toMatch(/^tally; fwd=miss; ttl=24\d{5}$/);
  const text = await first.text();
  const words = `currency=JPY,USD&to=${new Date(to).toISOString()}&granularity=1h&from=${from}&tz=Japan`;
  const again = await ask(pathOf(words));
  expect(isHit(again)).toBe(true);
  expect(await again.text()).toBe(text);
  const others = await ask(pathOf(words, "other"), { Authorization: `Bearer ${tally.operatorKey}` });
  expect(isHit(others)).toBe(false);
  expect(await others.json()).toMatchObject({ merchant_id: "other" });
  const strangers = [await tally.merchantKey("other"), "nonsense"].map((key) => ({ Authorization: `Bearer ${key}` }));
  expect((await ask(pathOf(words), strangers[0])).status).toBe(403);
  expect((await ask(pathOf(words), strangers[1])).status).toBe(401);
  expect((await ask(pathOf(words), { Authorization: "" })).status).toBe(401);
});

test("a client that has the answer is told so, and keeps it to itself", async () => {
  const path = pathOf(`from=${finalMs - 2 * HOUR_MS}&to=${finalMs}`);
  const first = await ask(path);
  const tag = first.headers.get("ETag") ?? "";
  expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
  const named = ["Cache-Control", "ETag", "Vary"].map((name) => [name, first.headers.get(name)]);
  expect(Object.fromEntries(named)).toEqual({
    "Cache-Control": "private, max-age=0, must-revalidate",
    ETag: tag,
    Vary: "Accept, Accept-Encoding, Authorization, Cookie",
  });
  for (const given of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
    const unchanged = await ask(path, { "If-None-Match": given });
    expect(unchanged.status).toBe(304);
    expect(await unchanged.text()).toBe("");
    expect(unchanged.headers.get("Content-Type")).toBeNull();
    expect(unchanged.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    for (const [name, value] of named) expect(unchanged.headers.get(String(name))).toBe(value);
  }
  expect((await ask(path, { "If-None-Match": '"x"' })).status).toBe(200);
  expect((await ask(path, { "If-None-Match": tag, Authorization: "Bearer nonsense" })).status).toBe(401);
});

test("a table is kept like any other answer, and so is a query, by what it asks", async () => {
  const span = `from=${finalMs - 3 * HOUR_MS}&to=${finalMs}`;
  const [first, again] = [await ask(pathOf(`${span}&format=csv`)), await ask(pathOf(span), { Accept: "text/csv" })];
  expect([isHit(first), isHit(again)]).toEqual([false, true]);
  for (const name of ["Content-Type", "Content-Disposition", "ETag"]) {
    expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(first.headers.get(name)).toMatch(/csv|^"/);
  }
  expect(await again.text()).toBe(await first.text());
  const tag = { "If-None-Match": first.headers.get("ETag") ?? "" };
  expect((await ask(pathOf(`${span}&format=csv`), tag)).status).toBe(304);
  const marked = await ask(pathOf(`${span}&format=csv&bom=true`), tag);
  expect([marked.status, isHit(marked)]).toEqual([200, false]);
  expect((await ask(pathOf(span), tag)).headers.get("Content-Type")).toBe("application/json");

  const query = (body: object, search = "", headers = {}) =>
    fetch(`${tally.runtime.apiUrl}/v1/merchants/shop/query${search}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { Authorization: `Bearer ${shopKey}`, ...headers },
    });
  const [from, to] = [finalMs - 4 * HOUR_MS, finalMs].map((ms) => new Date(ms).toISOString());
  const asked = await query({ from, to, metrics: ["net"], where: { currency: "jpy" } });
  expect(isHit(asked)).toBe(false);
  const same = await query({ where: { currency: "JPY" }, limit: 1_000, metrics: ["net"], to: String(finalMs), from });
  expect(isHit(same)).toBe(true);
  expect(await same.text()).toBe(await asked.text());
  // HTTP answers a condition of a POST that holds with 412: it is given no tag.
  for (const name of ["ETag", "Cache-Control"])
    expect(same.headers.get(name)).toBe(name === "ETag" ? null : "private, no-store");
  expect(
    (await query({ from, to, metrics: ["net"], where: { currency: "jpy" } }, "", { "If-None-Match": "*" })).status,
  ).toBe(200);
  const others = [
    [{ from, to, metrics: ["net"] }],
    [{ from, to, metrics: ["net"], where: { currency: "USD" } }],
    [{ from, to, metrics: ["net"], where: { currency: "JPY" } }, "?format=csv"],
  ] as const;
  for (const [body, search] of others) expect(isHit(await query(body, search))).toBe(false);
  const stranger = { Authorization: `Bearer ${await tally.merchantKey("other")}` };
  expect((await query({ from, to, metrics: ["net"] }, "", stranger)).status).toBe(403);
});

test("a page of events of final windows is kept until something is archived for them", async () => {
  // In no span that others add up: when it is counted is not waited for.
  const occurred_at = finalMs - 50 * HOUR_MS;
  const page = `/v1/merchants/shop/events?from=${occurred_at - HOUR_MS}&to=${occurred_at + HOUR_MS}`;
  const listed = async () =>
    ((await (await answeredInTime(() => ask(page))).json()) as { events: object[] }).events.length;
  expect(await listed()).toBe(0);
  const again = await ask(page);
  expect(isHit(again)).toBe(true);
  expect((await ask(page, { "If-None-Match": again.headers.get("ETag") ?? "" })).status).toBe(304);
  await tally.send([payment({ occurred_at })]);
  await until("the late event in the list", async () => ((await listed()) === 1 ? true : undefined));
  const recent = await ask(`/v1/merchants/shop/events?from=${closedMs()}&to=${closedMs() + WINDOW_MS}`);
  expect(recent.headers.get("ETag")).toBeNull();
  expect(recent.headers.get("Cache-Control")).toBe("private, no-store");
});

test("what is long is compressed for those who take it, under a weak tag", async () => {
  const path = pathOf(`from=${finalMs - DAY_MS}&to=${finalMs}`);
  const plain = await ask(path);
  const packed = await ask(path, { "Accept-Encoding": "gzip, br" });
  expect(plain.headers.get("Content-Encoding")).toBeNull();
  expect(packed.headers.get("Content-Encoding")).toBe("gzip");
  expect(packed.headers.get("ETag")).toBe(`W/${plain.headers.get("ETag")}`);
  expect(await packed.text()).toBe(await plain.text());
  // As behind Cloudflare, which does it by itself.
  const behind = await ask(path, { "Accept-Encoding": "gzip", "CF-Ray": "8f00-NRT" });
  expect(behind.headers.get("Content-Encoding")).toBeNull();
});

test("a payment shows in half a second, in the open window and in one that is closed", async () => {
  for (const occurred_at of [Date.now(), closedMs()]) {
    const path = pathOf(`from=${windowStart(occurred_at)}&to=${windowStart(occurred_at) + WINDOW_MS}&currency=JPY`);
    const before = await countOf(path);
    await tally.send([payment({ occurred_at })]);
    const sentMs = Date.now();
    await untilRight("the payment to show", sentMs, async () => (await countOf(path)) === before + 1);
    const answer = await ask(path);
    expect(isHit(answer)).toBe(true);
  }
});

test("a replay makes what it corrects unreachable at once, though it is kept for four weeks", async () => {
  const occurred_at = finalMs - 10 * HOUR_MS;
  await tally.send([payment({ occurred_at, merchant_id: "shop" })]);
  const stored = () => storedCount(occurred_at);
  await until("the late payment in history", async () => ((await stored()) === 1 ? true : undefined));
  await tally.sql.command({
    query: `INSERT INTO windows SELECT * REPLACE (payments_amount + 41 AS payments_amount, revision + 1 AS revision) FROM windows FINAL
      WHERE merchant_id = 'shop' AND window_start = toDateTime({start:UInt32}, 'UTC')`,
    query_params: { start: windowStart(occurred_at) / 1000 },
  });
  const path = pathOf(`from=${occurred_at - HOUR_MS}&to=${occurred_at + HOUR_MS}&currency=JPY`);
  await until("the wrong number", async () => ((await amountOf(path)) === 591 ? true : undefined));
  expect(isHit(await ask(path))).toBe(true);
  const query = async () => {
    const url = `${tally.runtime.apiUrl}/v1/merchants/shop/query`;
    const [from, to] = [occurred_at - HOUR_MS, occurred_at + HOUR_MS].map(String);
    const body = JSON.stringify({ from, to, metrics: ["payments.amount"] });
    const answer = await fetch(url, { method: "POST", body, headers: { Authorization: `Bearer ${shopKey}` } });
    return ((await answer.json()) as { rows: { "payments.amount": number }[] }).rows[0]?.["payments.amount"];
  };
  expect(await query()).toBe(591);
  const day = pathOf(`from=${occurred_at - DAY_MS}&to=${occurred_at + DAY_MS}&currency=JPY`);
  expect(await amountOf(day)).toBe(591);
  const asked = await fetch(`${tally.runtime.apiUrl}/v1/admin/replays`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tally.operatorKey}` },
    body: JSON.stringify({ from: occurred_at - HOUR_MS, to: occurred_at + HOUR_MS }),
  });
  const { id } = (await asked.json()) as { id: string };
  await until("the replay to end", async () => {
    const replay = await tally.read(`/v1/admin/replays/${id}`);
    return ((await replay.json()) as { state: string }).state === "done" ? true : undefined;
  });
  const endedMs = Date.now();
  await untilRight("the right number", endedMs, async () => (await amountOf(path)) === 550);
  expect(await amountOf(day)).toBe(550);
  expect(await query()).toBe(550);
});

test("a caller who goes away takes the answer from nobody who asked the same", async () => {
  for (let hours = 2; hours < 22; hours++) {
    const path = pathOf(`from=${finalMs - hours * DAY_MS}&to=${finalMs}&granularity=1h`);
    const url = `${tally.runtime.apiUrl}${path}`;
    const going = new AbortController();
    const gone = fetch(url, { headers: { Authorization: `Bearer ${shopKey}` }, signal: going.signal }).catch(() => {});
    const others = [ask(path), ask(path), ask(path)];
    setTimeout(() => going.abort(), hours % 5);
    for (const other of await Promise.all(others)) expect(other.status).toBe(200);
    await gone;
  }
});

test("while ClickHouse hangs the first read waits for two seconds, and the next ones take what there is at once; when it goes on, so do they", async () => {
  const changing = pathOf(`from=${finalMs - HOUR_MS}&currency=JPY&granularity=1d`);
  const recent = pathOf(`from=${closedMs()}&to=${closedMs() + WINDOW_MS}&currency=JPY`);
  let spans = 0;
  const older = () => pathOf(`from=${finalMs - ++spans * DAY_MS}&to=${finalMs}&granularity=1d`);
  await countOf(changing);
  const { pid } = tally.clickhouse;
  process.kill(pid, "SIGSTOP");
  try {
    await tally.send([payment()]);
    expect(await answered(older())).toMatchObject({ status: 503, code: "history_unavailable" });
    await until("two silences", async () => (logged.some(isGivenUp) ? true : undefined));
    expect(PATIENCE).toMatchObject({ doubtedMs: 1_000, confirmedMs: 1_000 });
    // What is not asked is not waited for, but for the probe of who finds out whether it is back.
    const asked: string[] = [];
    history.onStatement = (statement) => void asked.push(statement);
    for (const _ of [1, 2, 3]) {
      expect(await answered(older())).toMatchObject({ status: 503, code: "history_unavailable" });
      expect(await answered(changing)).toEqual({ status: 200, stale: true });
      expect(await answered(recent)).toEqual({ status: 200 });
    }
    expect(asked.filter((statement) => READS_HISTORY.test(statement))).toEqual([]);
  } finally {
    history.onStatement = () => {};
    process.kill(pid, "SIGCONT");
  }
  await until("history to be read again", async () => ((await ask(older())).ok ? true : undefined));
  expect(await answered(changing)).toEqual({ status: 200 });
});

const READS_HISTORY = /FROM (?:windows|roll_ups)\b/;
const isGivenUp = (line: string) => line.includes('"nobody waits any more"') && line.includes('"for":"ClickHouse"');

async function answered(path: string) {
  const answer = await ask(path, { "Cache-Control": "no-cache" });
  const { code, stale } = (await answer.json()) as { code?: string; stale?: true };
  return { status: answer.status, ...(code !== undefined && { code }), ...(stale !== undefined && { stale }) };
}

test("while ClickHouse is away what is kept is given, and what is not right any more says so", async () => {
  const kept = pathOf(`from=${finalMs - HOUR_MS}&to=${finalMs}&currency=JPY`);
  const changing = pathOf(`from=${finalMs}&currency=JPY`);
  await countOf(kept);
  const before = await countOf(changing);
  tally.clickhouse.kill();
  await tally.clickhouse.exited;
  await tally.send([payment()]);
  const stale = await until("the old answer", async () => {
    const answer = await ask(changing);
    expect(answer.status).toBe(200);
    return answer.headers.get("Cache-Status")?.includes("fwd=stale") === true ? answer : undefined;
  });
  expect(stale.headers.get("Cache-Control")).toBe("private, no-store");
  expect(stale.headers.get("ETag")).toBeNull();
  const body = (await stale.json()) as Shown;
  expect(body.stale).toBe(true);
  expect(Date.parse(body.as_of)).toBeLessThan(Date.now());
  expect(body.series[0]?.total.payments.count).toBe(before);
  expect(isHit(await ask(kept))).toBe(true);
  expect((await ask(pathOf(`from=${finalMs - 5 * HOUR_MS}&currency=JPY`))).status).toBe(503);
});

async function storedCount(occurredAt: number): Promise<number> {
  const answer = await tally.sql.query({
    query: `SELECT toUInt32(sum(payments_count)) AS count FROM windows FINAL
      WHERE merchant_id = 'shop' AND window_start = toDateTime({start:UInt32}, 'UTC')`,
    query_params: { start: windowStart(occurredAt) / 1000 },
    format: "JSONEachRow",
  });
  return (await answer.json<{ count: number }>())[0]?.count ?? 0;
}
