import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouse } from "../scripts/clickhouse.ts";
import { command, insert, START_S, select, startTestServer, window } from "../scripts/clickhouse-test-server.ts";

const BEYOND_64_BITS = 2n ** 64n + 1n;

let server: ClickHouse;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  ({ server, stop } = await startTestServer());
});

afterAll(() => stop?.());

test("quoted integers beyond 64 bits go in and come out exact, and their sums are exact", async () => {
  const amount = BEYOND_64_BITS * 3n;
  const starts = [0, 600, 1200];
  await insert(
    server,
    starts.map((offset) =>
      window({
        merchant_id: "sums",
        window_start: START_S + offset,
        payments_count: "9007199254740993",
        payments_amount: String(amount),
        amount_max: String(2n ** 64n - 1n),
      }),
    ),
  );
  const sql = `SELECT toString(sum(payments_amount)) AS amount, toTypeName(sum(payments_amount)) AS type, toString(max(amount_max)) AS largest,
    toString(sum(payments_count)) AS payments, toString(groupArray(payments_amount)[1]) AS one FROM windows FINAL WHERE merchant_id = 'sums'`;
  expect(await select(server, sql)).toEqual([
    {
      amount: String(3n * amount),
      type: "UInt128",
      largest: String(2n ** 64n - 1n),
      payments: String(3n * 9_007_199_254_740_993n),
      one: String(amount),
    },
  ]);
});

test("sumMap merges breakdowns by value: exact beyond 64 bits, ascending, other and amounts of zero kept", async () => {
  const merchant_id = "breakdown";
  await insert(server, [
    window({
      merchant_id,
      by_device_value: ["", "ios", "web"],
      by_device_count: ["1", "2", "3"],
      by_device_amount: ["7", String(BEYOND_64_BITS), "0"],
    }),
    window({
      merchant_id,
      window_start: START_S + 600,
      by_device_value: ["android", "ios"],
      by_device_count: ["5", "9007199254740993"],
      by_device_amount: ["1", String(BEYOND_64_BITS)],
    }),
    window({ merchant_id, window_start: START_S + 1200 }),
  ]);
  const sql = `SELECT sumMap(by_device_value, by_device_count, by_device_amount) AS merged, toTypeName(merged) AS type
    FROM windows FINAL WHERE merchant_id = 'breakdown' SETTINGS output_format_json_quote_64bit_integers = 1`;
  expect(await select(server, sql)).toEqual([
    {
      merged: [
        ["", "android", "ios", "web"],
        ["1", "5", "9007199254740995", "3"],
        ["7", "1", String(2n * BEYOND_64_BITS), "0"],
      ],
      type: "Tuple(Array(String), Array(UInt64), Array(UInt128))",
    },
  ]);
});

test("sumMap merges amount histograms, groupUniqArrayArray customers", async () => {
  const merchant_id = "sketches";
  await insert(server, [
    window({ merchant_id, amount_bucket: [3, 65_535], amount_bucket_count: [1, 2], customers: [1, 33, 65_535] }),
    window({
      merchant_id,
      window_start: START_S + 600,
      amount_bucket: [3, 4],
      amount_bucket_count: ["10", "1"],
      customers: [2, 33],
    }),
  ]);
  const sql = `SELECT sumMap(amount_bucket, amount_bucket_count) AS amounts, arraySort(groupUniqArrayArray(customers)) AS customers
    FROM windows FINAL WHERE merchant_id = 'sketches' SETTINGS output_format_json_quote_64bit_integers = 0`;
  expect(await select(server, sql)).toEqual([
    {
      amounts: [
        [3, 4, 65_535],
        [11, 1, 2],
      ],
      customers: [1, 2, 33, 65_535],
    },
  ]);
});

test("FINAL shows the highest revision, in whatever order revisions come and again after a merge", async () => {
  const merchant_id = "revisions";
  for (const revision of [1_700_000_000_002, 1_700_000_000_003, 1_700_000_000_001, 1_700_000_000_003]) {
    await insert(server, [window({ merchant_id, revision, payments_count: revision % 10 })]);
  }
  await insert(server, [window({ merchant_id, revision: 1, currency: "USD", payments_count: 8 })]);
  const sql = `SELECT currency, toString(revision) AS revision, toString(payments_count) AS payments FROM windows FINAL
    WHERE merchant_id = 'revisions' ORDER BY currency`;
  const expected = [
    { currency: "JPY", revision: "1700000000003", payments: "3" },
    { currency: "USD", revision: "1", payments: "8" },
  ];
  expect(await select(server, sql)).toEqual(expected);
  await command(server, "OPTIMIZE TABLE windows FINAL");
  expect(await select(server, sql)).toEqual(expected);
  expect(await select(server, sql.replace("FINAL", ""))).toEqual(expected);
});

test("every column of windows explains itself", async () => {
  const sql = "SELECT name FROM system.columns WHERE database = 'tally' AND table = 'windows' AND comment = ''";
  expect(await select(server, sql)).toEqual([]);
});
