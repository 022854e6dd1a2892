import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differences, loadTruth, storedHistory, type TruthRow, truth } from "../scripts/ground-truth.ts";
import { DAY_MS, HOUR_MS, windowStart } from "../shared/window.ts";
import { shopEvents } from "./shop.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

const EVENTS = 4_000;
const REQUEST_EVENTS = 1_000;
const toMs = windowStart(Date.now()) - 3 * DAY_MS;
const fromMs = toMs - 20 * DAY_MS;

interface Shown {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly progress: number;
  readonly failure?: string;
  readonly windows: Readonly<Record<"equal" | "changed" | "missing" | "short" | "unarchived", number>>;
  readonly events: number;
  readonly damaged_objects: readonly { readonly key: string; readonly reason: string }[];
  readonly differences: readonly {
    readonly window: string;
    readonly merchant: string;
    readonly verdict: string;
    readonly archived: { readonly events: number; readonly payments_amount: string };
    readonly stored: { readonly events: number; readonly payments_amount: string };
  }[];
}

interface Audit {
  readonly final_through: string;
  readonly audited_through: string | null;
  readonly windows: Shown["windows"];
  readonly parts: readonly { readonly to: string; readonly doubts: readonly object[] | null }[];
  readonly differences: readonly object[];
}

let tally: TestSystem;
let expected: TruthRow[];

beforeAll(async () => {
  tally = await startTestSystem();
  const events = shopEvents({ seed: "replay", count: EVENTS, fromMs, toMs });
  await loadTruth(tally.sql, Readable.from(events.map((event) => `${JSON.stringify(event)}\n`)));
  expected = await truth(tally.sql);
  for (let at = 0; at < EVENTS; at += REQUEST_EVENTS) await tally.send(events.slice(at, at + REQUEST_EVENTS));
  await until("everything in history", async () => ((await difference()).length === 0 ? true : undefined));
});
afterAll(() => tally?.stop());

const difference = async () => differences(expected, await storedHistory(tally.sql));

const ask = (body: object) => askOf(tally, body);

async function askOf({ runtime, operatorKey }: TestSystem, body: object): Promise<Response> {
  return await fetch(`${runtime.apiUrl}/v1/admin/replays`, {
    method: "POST",
    headers: { Authorization: `Bearer ${operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function replay(body: object): Promise<Shown> {
  const answer = await ask(body);
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as Shown;
  return await until("the replay to end", async () => {
    const shown = (await (await tally.read(`/v1/admin/replays/${id}`)).json()) as Shown;
    return shown.state === "done" ? shown : undefined;
  });
}

const whole = { from: fromMs, to: toMs };
const windows = () => new Set(expected.map((row) => JSON.stringify(row))).size;
const nothing = { changed: 0, missing: 0, short: 0, unarchived: 0 };

test("of what is right changes nothing", async () => {
  const shown = await replay(whole);
  expect(shown.windows).toEqual({ equal: windows(), ...nothing });
  expect(shown).toMatchObject({ events: EVENTS, progress: 1, differences: [], damaged_objects: [] });
});

test("brings back windows that were deleted; a dry run only tells of them", async () => {
  const from = toMs - 6 * DAY_MS;
  const to = toMs - 3 * DAY_MS;
  await tally.sql.command({
    query:
      "DELETE FROM windows WHERE window_start >= fromUnixTimestamp({from:UInt32}) AND window_start < fromUnixTimestamp({to:UInt32})",
    query_params: { from: (from - (from % HOUR_MS)) / 1000, to: (to - (to % HOUR_MS)) / 1000 },
  });
  const lost = await difference();
  expect(lost.length).toBeGreaterThan(10);
  const dry = await replay({ from, to, dry_run: true });
  expect(dry.windows.missing).toBe(lost.length);
  expect(dry.differences).toHaveLength(lost.length);
  expect((await difference()).length).toBe(lost.length);
  expect((await replay({ from, to })).windows.missing).toBe(lost.length);
  expect(await difference()).toEqual([]);
  expect((await replay({ from, to })).windows).toMatchObject(nothing);
});

test("finds windows that were changed by hand, names exactly them, and puts them right", async () => {
  const rows = (await (
    await tally.sql.query({
      query:
        "SELECT merchant_id, currency, toUnixTimestamp(window_start) AS start_s FROM windows FINAL WHERE payments_count > 1 ORDER BY cityHash64(merchant_id, window_start) LIMIT 50",
      format: "JSONEachRow",
    })
  ).json()) as { merchant_id: string; currency: string; start_s: number }[];
  for (const { merchant_id, currency, start_s } of rows) {
    await tally.sql.command({
      query:
        "INSERT INTO windows SELECT * REPLACE (revision + 1 AS revision, payments_amount + 7 AS payments_amount) FROM windows FINAL WHERE merchant_id = {merchant_id:String} AND currency = {currency:String} AND window_start = fromUnixTimestamp({start_s:UInt32})",
      query_params: { merchant_id, currency, start_s },
    });
  }
  const shown = await replay(whole);
  expect(shown.windows).toEqual({ equal: windows() - rows.length, ...nothing, changed: rows.length });
  const named = shown.differences.map(({ window, merchant }) => `${window} ${merchant}`).sort();
  expect(named).toEqual(
    rows.map(({ merchant_id, start_s }) => `${new Date(start_s * 1000).toISOString()} ${merchant_id}`).sort(),
  );
  for (const { archived, stored } of shown.differences) {
    expect(Number(stored.payments_amount) - Number(archived.payments_amount)).toBe(7);
  }
  expect(await difference()).toEqual([]);
});

test("of one merchant leaves the others alone", async () => {
  const merchant = expected[0]?.merchant_id ?? "";
  await tally.sql.command({ query: "DELETE FROM windows WHERE true" });
  await replay({ ...whole, merchant });
  const found = await storedHistory(tally.sql);
  expect(
    differences(
      expected.filter((row) => row.merchant_id === merchant),
      found,
    ),
  ).toEqual([]);
  await replay(whole);
  expect(await difference()).toEqual([]);
});

test("names an object that is cut off, replays the rest, and takes nothing out of history", async () => {
  const { objects } = await tally.runtime.archive.list({ prefix: "raw/v1/" });
  const largest = objects.toSorted((a, b) => b.size - a.size)[0];
  if (largest === undefined) throw new Error("nothing is archived");
  const bytes = new Uint8Array(
    (await (await tally.runtime.archive.get(largest.key))?.arrayBuffer()) ?? new ArrayBuffer(0),
  );
  await tally.runtime.archive.put(largest.key, bytes.slice(0, bytes.length - 100));
  const shown = await replay(whole);
  expect(shown.damaged_objects.map(({ key }) => key)).toEqual([largest.key]);
  expect(shown.windows.missing).toBe(0);
  expect(shown.windows.short + shown.windows.unarchived).toBeGreaterThan(0);
  expect(await difference()).toEqual([]);
  await tally.runtime.archive.put(largest.key, bytes);
  expect((await replay(whole)).windows).toEqual({ equal: windows(), ...nothing });
});

test.each<[string, object, string]>([
  ["an empty span", { from: toMs, to: toMs }, "empty_range"],
  ["a span that is not final", { from: Date.now(), to: Date.now() + HOUR_MS }, "not_final"],
  ["an absurd span", { from: 0, to: 8e15 }, "too_long"],
  ["a span that begins before 1970", { from: "1969-12-31T00:00:00Z", to: toMs }, "invalid_time"],
  ["a moment that is none", { from: "the day before", to: toMs }, "invalid_time"],
  ["an unknown field", { ...whole, merchants: ["a"] }, "invalid_body"],
  ["a merchant that cannot be", { ...whole, merchant: "a b" }, "invalid_body"],
])("of %s is refused", async (_, body, code) => {
  const answer = await ask(body);
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({ code });
});

test("of a span without events ends at once, with nothing found", async () => {
  const shown = await replay({ from: fromMs - 400 * DAY_MS, to: fromMs - 390 * DAY_MS });
  expect(shown).toMatchObject({ state: "done", events: 0, windows: { equal: 0, ...nothing } });
});

test("the audit replays the hours that have become final, names what differed in them and what was done, and does each hour once", async () => {
  const occurred_at = windowStart(Date.now()) - 30 * HOUR_MS;
  await tally.send([payment({ event_id: "audited", occurred_at, amount: 500 })]);
  const amount = async () => {
    const query = "SELECT toString(sum(payments_amount)) AS amount FROM windows FINAL WHERE merchant_id = 'shop'";
    const [row] = await (await tally.sql.query({ query, format: "JSONEachRow" })).json<{ amount: string }>();
    return row?.amount;
  };
  await until("the window in history", async () => ((await amount()) === "500" ? true : undefined));
  await tally.sql.command({
    query:
      "INSERT INTO windows SELECT * REPLACE (revision + 1 AS revision, payments_amount + 7 AS payments_amount) FROM windows FINAL WHERE merchant_id = 'shop'",
  });
  expect(await amount()).toBe("507");
  await tally.runtime.runCron();
  const audited = async () => (await (await tally.read("/v1/admin/audit?from=2020-01-01")).json()) as Audit;
  const shown = await until("the audit", async () => {
    const answer = await audited();
    return answer.audited_through !== null && answer.parts.length > 0 ? answer : undefined;
  });
  expect(shown.windows).toEqual({ equal: 0, ...nothing, changed: 1 });
  expect(shown.differences).toMatchObject([
    { merchant: "shop", verdict: "changed", stored: { payments_amount: "507" }, done: "replayed" },
  ]);
  await until("the window to be put right", async () => ((await amount()) === "500" ? true : undefined));
  const doubted = await until("the second opinion", async () => {
    const { parts } = await audited();
    return parts.every(({ doubts }) => doubts !== null) ? parts : undefined;
  });
  expect(doubted.flatMap(({ doubts }) => doubts)).toEqual([]);
  await tally.runtime.runCron();
  // An hour that has become final meanwhile comes after them.
  const through =
    doubted
      .map(({ to }) => to)
      .sort()
      .at(-1) ?? "";
  expect((await audited()).parts.filter(({ to }) => to <= through)).toEqual(doubted);
});

test("that nobody told the Replayer of, since the one who noted it died, is begun by the cron", async () => {
  const nowMs = Date.now();
  await tally.runtime.directory
    .prepare(
      "INSERT INTO replays (id, asked_by, from_ms, to_ms, dry_run, state, next_ms, created_at, updated_at) VALUES ('untold', 'operator', ?1, ?2, 1, 'running', ?1, ?3, ?3)",
    )
    .bind(fromMs - (fromMs % HOUR_MS), toMs - (toMs % HOUR_MS), nowMs)
    .run();
  await tally.runtime.runCron();
  await until("the replay to end", async () => {
    const { state } = (await (await tally.read("/v1/admin/replays/untold")).json()) as Shown;
    return state === "done" ? true : undefined;
  });
});

test("an hour too large for one pass is replayed in slices of its merchants, hours of any size one after another", async () => {
  const small = await startTestSystem(undefined, {
    aggregateVars: { CORRECTION_DELAY_MS: "300", LATE_DELAY_MS: "300", REPLAY_BYTES_MAX: "4000" },
  });
  try {
    const endMs = windowStart(Date.now()) - 5 * DAY_MS;
    const span = { fromMs: endMs - 5 * HOUR_MS, toMs: endMs };
    const events = shopEvents({ seed: "slices", count: 1_000, ...span });
    await loadTruth(small.sql, Readable.from(events.map((event) => `${JSON.stringify(event)}\n`)));
    const right = await truth(small.sql);
    const wrong = async () => differences(right, await storedHistory(small.sql));
    await small.send(events);
    await until("everything in history", async () => ((await wrong()).length === 0 ? true : undefined));
    await small.sql.command({ query: "DELETE FROM windows WHERE cityHash64(merchant_id, window_start) % 2 = 0" });
    const lost = await wrong();
    const begun = await askOf(small, { from: span.fromMs, to: span.toMs });
    const { id } = (await begun.json()) as Shown;
    const shown = await until("the replay to end", async () => {
      const answer = (await (await small.read(`/v1/admin/replays/${id}`)).json()) as Shown;
      return answer.state === "done" ? answer : undefined;
    });
    expect(shown.windows).toEqual({ ...nothing, equal: right.length - lost.length, missing: lost.length });
    const slices = small.runtime.directory.prepare("SELECT count(DISTINCT slice) AS n FROM replay_passes");
    expect(await slices.first("n")).toBeGreaterThan(1);
    expect(await wrong()).toEqual([]);
  } finally {
    await small.stop();
  }
});
