import { get } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { sleep } from "../scripts/sleep.ts";
import { archivedKind } from "../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { eventsAnswerSchema } from "../workers/api/events/events-schema.ts";
import { metricsAnswerSchema } from "../workers/api/metrics-schema.ts";
import { firstOfEach, leftOut, RETURNS, refundsOfSales, returnsBy } from "./sale-refunds.ts";
import { type Search, type SearchProxy, startSearchProxy } from "./search-proxy.ts";
import { shopEvents } from "./shop.ts";
import { answered, payment, startTestSystem, type TestSystem, until } from "./system.ts";

const REQUEST_EVENTS = 1_000;
const PAST_EVENTS = 1_500;
const PAST_HOURS = 4;
const pastEndMs = windowStart(Date.now()) - 4 * DAY_MS;
const past = { fromMs: pastEndMs - PAST_HOURS * HOUR_MS, toMs: pastEndMs };
const recentMs = windowStart(Date.now()) - 3 * HOUR_MS;
const recent = { fromMs: recentMs - HOUR_MS, toMs: recentMs + HOUR_MS };

/** Longer than a search is waited for before ClickHouse is doubted. */
const DOUBTED_MS = 1_100;

/** Of a window that knows a repeat whose time was changed. */
const madeMs = windowStart(Date.now());
const returned = returnsBy({ pastMs: past.fromMs, recentMs, madeMs });

let tally: TestSystem;
let searches: SearchProxy;

beforeAll(async () => {
  searches = await startSearchProxy();
  tally = await startTestSystem(undefined, { clickhouseUrl: searches.url });
  searches.target = tally.clickhouse.url;
  await tally.runtime.runCron();
  // Long before they are asked for, so that nobody waits for the archive.
  for (const events of returned) await send(events);
});
afterAll(async () => {
  await tally?.stop();
  await searches?.stop();
});

type Span = Readonly<Record<"fromMs" | "toMs", number>>;
type Shown = ReturnType<typeof eventsAnswerSchema.parse>;

const pathOf = ({ fromMs, toMs }: Span, merchant: string, query = "") =>
  `/v1/merchants/${merchant}/events?from=${fromMs}&to=${toMs}&tz=UTC${query}`;

async function pageOf(span: Span, merchant: string, query = ""): Promise<Shown> {
  const answer = await answered(() => tally.read(pathOf(span, merchant, query)));
  const body = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return eventsAnswerSchema.parse(body);
}

/** All pages of a list. */
async function listOf(span: Span, merchant: string, query = ""): Promise<Shown["events"]> {
  const events: Shown["events"] = [];
  let cursor = "";
  for (;;) {
    const page = await pageOf(span, merchant, `${query}${cursor}`);
    events.push(...page.events);
    if (page.next_cursor === null) return events;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

interface Total {
  readonly count: number;
  readonly amount: number;
}
const added = (events: Shown["events"], type: string, currency: string): Total => {
  const own = events.filter((event) => event.type === type && event.currency === currency);
  return { count: own.length, amount: own.reduce((sum, { amount }) => sum + amount, 0) };
};

/** What the list adds up to is what metrics say of the same span, in every currency. */
async function expectSameAsMetrics(span: Span, merchant: string): Promise<Shown["events"]> {
  const events = await listOf(span, merchant, "&limit=400");
  const path = `/v1/merchants/${merchant}/metrics?from=${span.fromMs}&to=${span.toMs}&tz=UTC&granularity=1d`;
  const metrics = (await (await answered(() => tally.read(path))).json()) as {
    series: { currency: string; total: { payments: Total; refunds: Total } }[];
  };
  for (const { currency, total } of metrics.series) {
    expect(total).toMatchObject({
      payments: added(events, "payment", currency),
      refunds: added(events, "refund", currency),
    });
  }
  expect(metrics.series.reduce((sum, { total }) => sum + total.payments.count + total.refunds.count, 0)).toBe(
    events.length,
  );
  return events;
}

async function send(events: readonly PaymentEventInput[], headers?: Readonly<Record<string, string>>): Promise<void> {
  for (let at = 0; at < events.length; at += REQUEST_EVENTS) {
    const answer = await tally.send(events.slice(at, at + REQUEST_EVENTS), headers);
    expect(answer.ok).toBe(true);
  }
}

/** Until the archive has so many. */
async function archived(span: Span, merchant: string, count: number): Promise<void> {
  await until("events in the archive", async () =>
    (await listOf(span, merchant, "&limit=1000")).length >= count ? true : undefined,
  );
}

test("each event is listed once, as it was counted: repeats, changed repeats, and copies moved to another window are not", async () => {
  const merchant_id = "repeats";
  const base = { merchant_id, occurred_at: recentMs };
  const first = payment({ ...base, event_id: "first", amount: 10, user: { id: "customer-7", gender: "female" } });
  const nowEvent = payment({ merchant_id, event_id: "moved", amount: 5 });
  await send([first, { ...first, amount: 99 }, payment({ ...base, event_id: "second", amount: 20 }), nowEvent]);
  // Its window is recent: a copy with another time is known to be one.
  await send([first, { ...nowEvent, occurred_at: recentMs + WINDOW_MS }]);
  await send([payment({ ...base, event_id: "refund", type: "refund", amount: 3, refund_of: "first" })]);
  const span = { fromMs: recent.fromMs, toMs: Date.now() + HOUR_MS };
  await archived(span, merchant_id, 4);
  const events = await expectSameAsMetrics(span, merchant_id);
  expect(events.map(({ event_id, amount }) => [event_id, amount])).toEqual([
    ["moved", 5],
    ["second", 20],
    ["refund", 3],
    ["first", 10],
  ]);
  expect(events[3]?.user).toEqual({ id_hash: expect.stringMatching(/^[0-9a-f]{16}$/), gender: "female" });
  expect(JSON.stringify(events)).not.toContain("customer-7");
  expect(events[2]).toMatchObject({ type: "refund", refund_of: "first" });
});

const metricsPath = (merchant: string, query: string) => `/v1/merchants/${merchant}/metrics?refunds_by=sale&${query}`;

/** Metrics by sale once the archive has all that is counted. */
async function bySale(merchant: string, query: string) {
  return await until("refunds in the archive", async () => {
    const answer = await answered(() => tally.read(metricsPath(merchant, query)));
    const body = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(body));
    const metrics = metricsAnswerSchema.parse(body);
    return metrics.notices.some(({ code }) => code.endsWith("_unread")) ? undefined : metrics;
  });
}

type Metrics = Awaited<ReturnType<typeof bySale>>;
const spanOf = (from: string, to: string) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) });

/** Every bucket and total has the refunds of its sales, and what is left out is said. */
function expectBySale({ from, to, series, refunds }: Metrics, sent: readonly PaymentEventInput[]): void {
  const events = firstOfEach(sent);
  expect(refunds).toMatchObject({ by: "sale", sales_unread: 0 });
  for (const { currency, total, buckets, refunds_undated } of series) {
    const whole = refundsOfSales(events, currency, spanOf(from, to));
    expect(total.refunds).toEqual(whole);
    expect(total.net).toBe(Number(total.payments.amount) - whole.amount);
    expect(refunds_undated).toEqual(leftOut(events, currency, spanOf(from, to)));
    for (const { start, end, status, refunds } of buckets) {
      expect(refunds).toEqual(refundsOfSales(events, currency, spanOf(start, end)));
      expect(status).not.toBe("final");
    }
  }
}

/** Of a merchant of the shop, all events of the past. */
const before = new Map<string, Shown["events"]>();

describe("a shop's past", () => {
  const merchants = ["United-Kingdom", "Germany"] as const;
  const shopPast = shopEvents({ seed: "events", count: PAST_EVENTS, ...past });

  test("is what its metrics say, to the last unit, page by page in either order, from lines", async () => {
    await send(shopPast, { Prefer: "respond-async" });
    await send(shopEvents({ seed: "events", count: PAST_EVENTS / 10, ...past }), { Prefer: "respond-async" });
    await until("late windows counted", async () => ((await rowsIn("late_windows")) === 0 ? true : undefined));
    await until("windows in history", async () => {
      const [row] = await (
        await tally.sql.query({
          query:
            "SELECT sum(payments_count + refunds_count) AS n FROM windows FINAL WHERE window_start < now() - INTERVAL 2 DAY AND merchant_id != 'returns'",
          format: "JSONEachRow",
        })
      ).json<{ n: string }>();
      return Number(row?.n) === PAST_EVENTS ? true : undefined;
    });
    for (const merchant of merchants) {
      const events = await expectSameAsMetrics(past, merchant);
      before.set(merchant, events);
      const oldest = await listOf(past, merchant, "&order=oldest&limit=37");
      expect(oldest).toEqual([...events].reverse());
    }
  });

  test("is found by what it was broken down by", async () => {
    const events = before.get("United-Kingdom") ?? [];
    const only = async (query: string) => listOf(past, "United-Kingdom", `&limit=1000${query}`);
    expect(await only("&payment_method=qr&type=payment")).toEqual(
      events.filter((event) => event.payment_method === "qr" && event.type === "payment"),
    );
    expect(await only("&country=JP&currency=USD,GBP")).toEqual(events.filter(({ user }) => user?.country === "JP"));
    expect(await only("&location=")).toEqual(events.filter(({ merchant }) => merchant?.location === undefined));
    expect(await only("&currency=EUR")).toEqual([]);
  });

  test("has refunds on the day of their sales, hour by hour and in any zone", async () => {
    const own = shopPast.filter(({ merchant_id }) => merchant_id === "United-Kingdom");
    expect(refundsOfSales(own, "GBP", past).count).toBeGreaterThan(3);
    for (const query of ["granularity=1h&tz=Asia/Kathmandu", "granularity=1d&tz=America/New_York"]) {
      expectBySale(await bySale("United-Kingdom", `from=${past.fromMs}&to=${past.toMs}&${query}`), own);
    }
  });

  test("is the same list once it is compacted, and with late events beside the Parquet", async () => {
    const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
    await until("all hours compacted", async () => {
      await directory.prepare("UPDATE uncompacted_hours SET first_noted_at = 0, last_noted_at = 0, retry_at = 0").run();
      await tally.runtime.runCron();
      const { objects } = await tally.runtime.archive.list({ prefix: "raw/v1/" });
      const isPast = objects.filter(({ uploaded: _, key }) => key < pastKeyEnd());
      return isPast.some(({ key }) => archivedKind(key) === "lines") ? undefined : true;
    });
    for (const merchant of merchants) {
      expect(await listOf(past, merchant, "&limit=400")).toEqual(before.get(merchant));
      expect(await listOf(past, merchant, "&order=oldest&limit=100")).toEqual(
        [...(before.get(merchant) ?? [])].reverse(),
      );
    }
    const own = shopPast.filter(({ merchant_id }) => merchant_id === "United-Kingdom");
    expectBySale(await bySale("United-Kingdom", `from=${past.fromMs}&to=${past.toMs}&granularity=1h`), own);
    const late = payment({ merchant_id: "Germany", occurred_at: past.fromMs + 1, amount: 77, currency: "EUR" });
    await send([late]);
    await archived(past, "Germany", (before.get("Germany")?.length ?? 0) + 1);
    expect((await listOf(past, "Germany")).at(-1)).toMatchObject({ event_id: late.event_id, amount: 77 });
  });

  test("is a table, too, of all of it whatever the limit", async () => {
    const answer = await tally.read(pathOf(past, "United-Kingdom", "&format=csv&limit=10"));
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/csv/);
    const lines = (await answer.text()).trim().split("\r\n");
    expect(lines.length).toBe(1 + (before.get("United-Kingdom")?.length ?? 0));
    expect(lines[0]).toMatch(/^event_id,type,occurred_at,/);
  });
});

describe("refunds on the day of the sale", () => {
  const merchant_id = RETURNS;
  const sent = returned.flat().filter((event) => event.merchant_id === merchant_id);
  const today = `from=${recentMs}&to=${recentMs + HOUR_MS}&granularity=10m&tz=UTC`;
  const daysAgo = `from=${past.fromMs}&to=${past.toMs}&granularity=1h&tz=UTC`;

  test("is what plain recomputation says: several of a sale, before their sale came, twice, in two currencies, of nobody's", async () => {
    const { fromMs, toMs } = past;
    await until("late windows counted", async () => {
      const metrics = await bySale(merchant_id, `from=${fromMs - 2 * HOUR_MS}&to=${toMs}&currency=JPY`);
      return metrics.series[0]?.total.payments.count === 2 ? true : undefined;
    });
    expectBySale(await bySale(merchant_id, today), sent);
    expectBySale(await bySale(merchant_id, daysAgo), sent);
    const answer = await bySale(merchant_id, `${today}&group_by=payment_method&currency=JPY`);
    expectBySale(answer, sent);
    expect(answer.notices.map(({ code }) => code)).toEqual(["refunds_of_other_sales", "refunds_without_sale"]);
    expect(answer.series[0]?.groups?.parts[0]?.total).toEqual({ count: 2, amount: 2_000 });
    const byRefund = `/v1/merchants/${merchant_id}/metrics?${today}&refunds_by=refund`;
    const own = metricsAnswerSchema.parse(await (await answered(() => tally.read(byRefund))).json());
    expect(own.refunds).toBeUndefined();
    expect(own.series[0]?.total.refunds).not.toEqual(answer.series[0]?.total.refunds);
  });

  test("what it is compared with has the refunds of its own sales", async () => {
    const [from, to] = [past.fromMs, past.toMs];
    // A zone in which no day begins as the span does: such a span is compared with the day before, not with what was just before it.
    const zone = new Date(from).getUTCHours() === 0 ? "Asia/Tokyo" : "UTC";
    const answer = await bySale(merchant_id, `from=${from}&to=${to}&granularity=1d&tz=${zone}&compare=previous_period`);
    const [base] = answer.compare?.bases ?? [];
    const [series] = answer.series;
    const expected = refundsOfSales(firstOfEach(sent), "JPY", spanOf(base?.from ?? "", base?.to ?? ""));
    expect(expected).toEqual({ count: 1, amount: 50 });
    expect(series?.total.comparison?.base).toMatchObject({ refunds: expected, net: 950 });
    expect(series?.total.refunds).toEqual({ count: 3, amount: 120 });
    expect(series?.total.comparison?.change.refunds.count).toEqual({ absolute: 2, ratio: 2 });
  });

  test("what is cached gives way to a refund of a sale of days ago; a table has the same numbers", async () => {
    const cached = async () => {
      const headers = { Authorization: `Bearer ${tally.operatorKey}` };
      const answer = await answered(() =>
        fetch(`${tally.runtime.apiUrl}${metricsPath(merchant_id, daysAgo)}`, { headers }),
      );
      const { series } = metricsAnswerSchema.parse(await answer.json());
      return { from: answer.headers.get("Cache-Status"), series };
    };
    const before = (await cached()).series;
    const kept = await cached();
    expect([kept.from, kept.series]).toEqual([expect.stringMatching(/hit/), before]);
    await send([payment({ merchant_id, type: "refund", amount: 7, refund_of: "days-ago" })]);
    // Said at once, and dated as soon as the archive has it.
    await until("the refund", async () => {
      const [jpy] = (await cached()).series;
      return jpy?.refunds_undated?.unread.amount === 7 || jpy?.total.refunds.amount === 127 ? true : undefined;
    });
    const table = await tally.read(metricsPath(merchant_id, `${daysAgo}&format=csv&currency=JPY`));
    expect(table.headers.get("Tally-Notices")).toMatch(/^refunds_of_other_sales, refunds_without_sale/);
    const [header = "", row = ""] = (await table.text()).split("\r\n");
    expect(row.split(",")[header.split(",").indexOf("refunds_amount")]).toMatch(/^12[07]$/);
  });

  test("what is not in the archive is said, never passed over", async () => {
    const hour = new Date(madeMs).toISOString().slice(0, 13).replaceAll(/[-T]/g, "/");
    const { objects } = await tally.runtime.archive.list({ prefix: `raw/v1/${hour}/` });
    expect(objects.length).toBeGreaterThan(0);
    const all = leftOut(firstOfEach(sent), "JPY", { fromMs: recentMs, toMs: recentMs + HOUR_MS });
    await tally.runtime.archive.delete(objects.map(({ key }) => key));
    const answer = await answered(() => tally.read(metricsPath(merchant_id, today)));
    const metrics = metricsAnswerSchema.parse(await answer.json());
    expect(metrics.notices.map(({ code }) => code)).toContain("refunds_unread");
    const jpy = metrics.series.find(({ currency }) => currency === "JPY");
    expect(jpy?.refunds_undated?.without_sale.count).toBe(0);
    expect(jpy?.refunds_undated?.unread.count).toBeGreaterThan(all.without_sale.count);
  });

  test("a span, or a base, of too long ago is refused, and what is no date of refunds", async () => {
    for (const [query, code, parameter] of [
      ["from=2026-01-01&to=2026-01-02", "sales_too_long_ago", "from"],
      ["from=today&compare=year_ago", "sales_too_long_ago", "compare"],
    ]) {
      const answer = await tally.read(metricsPath(merchant_id, query ?? ""));
      expect([answer.status, await answer.json()]).toMatchObject([400, { code, parameter }]);
    }
    const wrong = await tally.read(`/v1/merchants/${merchant_id}/metrics?refunds_by=payment`);
    expect(await wrong.json()).toMatchObject({ code: "invalid_refunds_by", parameter: "refunds_by" });
    const report = await tally.read(`/v1/merchants/${merchant_id}/report?refunds_by=sale`);
    expect(await report.json()).toMatchObject({ code: "unknown_parameter" });
  });
});

describe("a search of the archive that ClickHouse does not end in time", () => {
  /** A page as long as there are: of a table, of refunds, and of a list that asks for it. */
  const isLong = ({ limit }: Search) => limit === 1_001;
  const tableOf = (merchant: string, encoding: string) =>
    fetch(`${tally.runtime.apiUrl}${pathOf(past, merchant, "&format=csv&limit=1")}`, {
      headers: { Authorization: `Bearer ${tally.operatorKey}`, "Accept-Encoding": encoding },
    });

  /** Whose reader takes what comes, and can leave without a word. */
  const open = (path: string, encoding: string) => {
    const headers = { Authorization: `Bearer ${tally.operatorKey}`, "Accept-Encoding": encoding };
    return get(`${tally.runtime.apiUrl}${path}`, { headers, agent: false }, (answer) =>
      answer.on("error", () => {}).resume(),
    ).on("error", () => {});
  };

  afterEach(() => {
    searches.tooSlow = () => undefined;
  });

  test("stops no other read; its hour is named, and all refunds are said to be unread", async () => {
    const merchant = "United-Kingdom";
    const query = `from=${past.fromMs}&to=${past.toMs}&tz=UTC&currency=GBP`;
    const answered = Promise.withResolvers<void>();
    // Until another read is answered, and no sooner than ClickHouse is doubted.
    const end = Promise.all([answered.promise, sleep(DOUBTED_MS)]);
    searches.tooSlow = () => end;
    const events = tally.read(pathOf(past, merchant, "&limit=7"));
    const bySale = tally.read(metricsPath(merchant, `${query}&granularity=1mo`));
    const others = tally.read(`/v1/merchants/${merchant}/metrics?${query}&granularity=1w`);
    expect((await Promise.race([events, bySale, others])).url).toContain("granularity=1w");
    answered.resolve();
    const counted = metricsAnswerSchema.parse(await (await others).json()).series[0]?.total.refunds.count ?? 0;
    expect(counted).toBeGreaterThan(3);
    const refused = await events;
    const hour = expect.stringMatching(/^2\d{3}-\d\d-\d\dT\d\d:00:00/);
    // All of it is compacted, but for one event that came late.
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: "hour_too_slow", hour }]);
    expect(refused.headers.get("Retry-After")).toBe("10");
    const { notices, series, refunds } = metricsAnswerSchema.parse(await (await bySale).json());
    expect(notices.map(({ code }) => code)).toEqual(["refunds_unread"]);
    expect(notices[0]?.message).toContain(`${counted} of ${counted} refunds`);
    expect(notices[0]?.message).toContain("begin a span later");
    expect(series[0]?.refunds_undated?.unread.count).toBe(counted);
    expect(Date.parse(refunds?.archived_through ?? "")).toBeLessThan(past.toMs);
  });

  test("is said to wait for compaction where it does", async () => {
    searches.tooSlow = () => Promise.resolve();
    const refused = await tally.read(pathOf(recent, "repeats"));
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: "hour_not_compacted" }]);
  });

  const tableFile = (merchant: string) => pathOf(past, merchant, "&format=csv&limit=1");
  // In words that nobody else asks in: what is kept is not searched for.
  const list = (merchant: string) => pathOf(past, merchant, "&limit=1000&grade=nobody-s");
  const bySale = (merchant: string) =>
    metricsPath(merchant, `from=${past.fromMs}&to=${past.toMs}&tz=UTC&amounts=true&currency=GBP,XTS`);
  test.each([
    { what: "table", path: tableFile, encoding: "identity" },
    { what: "packed table", path: tableFile, encoding: "gzip" },
    { what: "list", path: list, encoding: "identity" },
    { what: "refunds by sale", path: bySale, encoding: "identity" },
  ])("is given up when the reader of its $what leaves, and others have its turn", async ({ path, encoding }) => {
    await until("others to have the turn of who has left", async () => {
      const held: Search[] = [];
      const released = Promise.withResolvers<void>();
      searches.tooSlow = (search) => {
        if (!isLong(search)) return undefined;
        held.push(search);
        return released.promise;
      };
      const readers = ["United-Kingdom", "Germany"].map((merchant) => open(path(merchant), encoding));
      await until("both turns to be taken", async () => (held.length >= 2 ? true : undefined));
      const waiting = await pageOf(past, "France");
      for (const reader of readers) reader.socket?.resetAndDestroy();
      const after = await pageOf(past, "France", waiting.next_cursor === null ? "" : `&cursor=${waiting.next_cursor}`);
      await until("their statements to be taken back", async () =>
        held.every(({ isTakenBack }) => isTakenBack()) ? true : undefined,
      );
      released.resolve();
      // A search ends by itself after eight seconds, in which a machine that is too busy does not get so far: then it is begun with again.
      return waiting.next_after_s === 3 && after.next_after_s === 0 ? true : undefined;
    });
  });

  test("once is no reason for a table to end", async () => {
    const failed: Search[] = [];
    searches.tooSlow = (search) => (isLong(search) && failed.push(search) === 1 ? Promise.resolve() : undefined);
    const lines = (await (await tableOf("United-Kingdom", "identity")).text()).trim().split("\r\n");
    expect(failed.length).toBeGreaterThan(1);
    expect(lines.length).toBe(1 + (before.get("United-Kingdom")?.length ?? 0));
  });

  test("twice breaks a table off, which never looks whole, packed or not", async () => {
    searches.tooSlow = (search) => (isLong(search) ? Promise.resolve() : undefined);
    const [plain, packed] = await Promise.all(
      ["identity", "gzip"].map((encoding) => tableOf("United-Kingdom", encoding)),
    );
    expect([plain?.status, packed?.status]).toEqual([200, 200]);
    expect(packed?.headers.get("Content-Encoding")).toBe("gzip");
    const texts = await Promise.allSettled([plain?.text(), packed?.text()]);
    expect(texts.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

test("a list is the merchant's own, and what is asked wrongly is named", async () => {
  const other = await tally.merchantKey("Germany");
  expect((await tally.read(pathOf(past, "United-Kingdom"), other)).status).toBe(403);
  const { next_cursor: cursor } = await pageOf(past, "United-Kingdom", "&limit=5");
  for (const [query, parameter] of [
    ["&type=gift", "type"],
    ["&order=random", "order"],
    ["&limit=0", "limit"],
    ["&limit=5000", "limit"],
    ["&cursor=nonsense", "cursor"],
    [`&limit=5&type=refund&cursor=${cursor}`, "cursor"],
    [`&gender=${"x".repeat(65)}`, "gender"],
    ["&user=1", "user"],
  ]) {
    const answer = await tally.read(pathOf(past, "United-Kingdom", query));
    expect([answer.status, ((await answer.json()) as { parameter: string }).parameter]).toEqual([400, parameter]);
  }
  expect((await tally.read(pathOf(past, "Germany", `&limit=5&cursor=${cursor}`))).status).toBe(400);
  const reversed = await tally.read(pathOf({ fromMs: past.toMs, toMs: past.fromMs }, "Germany"));
  expect(await reversed.json()).toMatchObject({ code: "empty_range", parameter: "to" });
});

async function rowsIn(table: "late_windows"): Promise<number> {
  const directory = await tally.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
  return (await directory.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>("n")) ?? -1;
}

/** Keys of hours that are not final yet come after it. */
function pastKeyEnd(): string {
  const [date, time = ""] = new Date(past.toMs + HOUR_MS).toISOString().split("T");
  return `raw/v1/${date?.replaceAll("-", "/")}/${time.slice(0, 2)}/`;
}
