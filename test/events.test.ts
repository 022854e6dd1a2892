import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { archivedKind } from "../shared/archive-key.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { eventsAnswerSchema } from "../workers/api/events/events-schema.ts";
import { shopEvents } from "./shop.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

const REQUEST_EVENTS = 1_000;
const PAST_EVENTS = 1_500;
const PAST_HOURS = 4;
const pastEndMs = windowStart(Date.now()) - 4 * DAY_MS;
const past = { fromMs: pastEndMs - PAST_HOURS * HOUR_MS, toMs: pastEndMs };
const recentMs = windowStart(Date.now()) - 3 * HOUR_MS;
const recent = { fromMs: recentMs - HOUR_MS, toMs: recentMs + HOUR_MS };

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
  await tally.runtime.runCron();
});
afterAll(() => tally?.stop());

type Span = Readonly<Record<"fromMs" | "toMs", number>>;
type Shown = ReturnType<typeof eventsAnswerSchema.parse>;

const pathOf = ({ fromMs, toMs }: Span, merchant: string, query = "") =>
  `/v1/merchants/${merchant}/events?from=${fromMs}&to=${toMs}&tz=UTC${query}`;

async function pageOf(span: Span, merchant: string, query = ""): Promise<Shown> {
  const answer = await tally.read(pathOf(span, merchant, query));
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
  const metrics = (await (await tally.read(path)).json()) as {
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

describe("a shop's past", () => {
  const merchants = ["United-Kingdom", "Germany"] as const;
  const before = new Map<string, Shown["events"]>();

  test("is what its metrics say, to the last unit, page by page in either order, from lines", async () => {
    await send(shopEvents({ seed: "events", count: PAST_EVENTS, ...past }), { Prefer: "respond-async" });
    await send(shopEvents({ seed: "events", count: PAST_EVENTS / 10, ...past }), { Prefer: "respond-async" });
    await until("late windows counted", async () => ((await rowsIn("late_windows")) === 0 ? true : undefined));
    await until("windows in history", async () => {
      const [row] = await (
        await tally.sql.query({
          query:
            "SELECT sum(payments_count + refunds_count) AS n FROM windows FINAL WHERE window_start < now() - INTERVAL 2 DAY",
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
