import { expect, test } from "vitest";
import { parseQuery } from "./query-parameters.ts";

const NOW_MS = Date.UTC(2026, 10, 1, 12);

function refused(body: unknown) {
  const parsed = parseQuery(body, "Asia/Tokyo", NOW_MS);
  if (parsed.ok) throw new Error("taken");
  const { status, code, detail, extensions } = parsed.error;
  return { status, code, detail: detail ?? "", parameter: extensions?.parameter };
}

const query = (over: object) => ({ metrics: ["payments.count"], ...over });

test.each<[unknown, string, string, RegExp]>([
  [undefined, "body", "malformed_json", /JSON object/],
  [[], "body", "invalid_query", /expected object/],
  [{}, "metrics", "invalid_query", /array/],
  [{ metrics: [] }, "metrics", "invalid_query", />=1/],
  [{ metrics: ["revenue"] }, "metrics.0", "invalid_query", /payments\.amount/],
  [{ metrics: ["net", "net"] }, "metrics.1", "invalid_query", /once/],
  [query({ select: "*" }), "select", "unknown_parameter", /no such member/],
  [
    query({ where: { "merchant_id = 'x' OR 1": { eq: "1" } } }),
    "where.merchant_id = 'x' OR 1",
    "unknown_parameter",
    /no such/,
  ],
  [query({ where: { country: "JP" } }), "where.country", "invalid_query", /"eq"/],
  [query({ where: { country: { in: [] } } }), "where.country.in", "invalid_query", />=1/],
  [query({ where: { country: { in: Array(129).fill("JP") } } }), "where.country", "invalid_query", /128/],
  [query({ where: { country: { eq: "x".repeat(129) } } }), "where.country.eq", "invalid_query", /128/],
  [query({ where: { currency: "YEN" } }), "where.currency", "invalid_query", /ISO 4217/],
  [query({ where: { currency: ["JPY", "jpn"] } }), "where.currency.1", "invalid_query", /ISO 4217/],
  [query({ dimensions: ["country", "gender"] }), "dimensions", "several_breakdowns", /country|gender/],
  [
    query({ dimensions: ["country"], where: { gender: { eq: "female" } } }),
    "dimensions",
    "several_breakdowns",
    /one of them at a time/,
  ],
  [query({ dimensions: ["merchant_id"] }), "dimensions.0", "invalid_query", /weekday/],
  [query({ dimensions: ["hour", "hour"] }), "dimensions.1", "invalid_query", /once/],
  [
    query({ metrics: ["payments.count", "customers"], dimensions: ["country"] }),
    "metrics.1",
    "metric_not_by_value",
    /payments\.amount/,
  ],
  [query({ granularity: "1d" }), "granularity", "invalid_query", /"time"/],
  [query({ dimensions: ["time"], granularity: "1y" }), "granularity", "invalid_query", /1mo/],
  [
    query({ dimensions: ["time"], granularity: "10m", from: "2021-11-02", to: "2026-11-01" }),
    "granularity",
    "too_many_buckets",
    /granularity=1d/,
  ],
  [query({ from: "2026-11-02", to: "2026-11-01" }), "to", "empty_range", /later than from/],
  [query({ from: "2199-01-01", to: undefined }), "from", "empty_range", /before now/],
  [query({ from: 1.5 }), "from", "invalid_query", /a moment/],
  [query({ from: 1_790_000_000 }), "from", "invalid_time", /seconds/],
  [query({ from: "2019-01-01", to: "2026-11-01" }), "from", "span_too_long", /1890 days/],
  [query({ from: "1790000000" }), "from", "invalid_time", /seconds/],
  [query({ to: "tomorrow" }), "to", "invalid_time", /today/],
  [query({ tz: "Mars/Olympus" }), "tz", "unknown_zone", /Europe\/Berlin/],
  [query({ limit: 0 }), "limit", "invalid_query", />=1/],
  [query({ limit: 1e9 }), "limit", "invalid_query", /10000/],
  [query({ limit: 1.5 }), "limit", "invalid_query", /int/],
  [query({ having: [{ metric: "net", op: "gt", value: 1 }] }), "having.0.metric", "invalid_query", /asked for/],
  [query({ having: [{ metric: "payments.count", op: ">", value: 1 }] }), "having.0.op", "invalid_query", /gte/],
  [
    query({ having: [{ metric: "payments.count", op: "gt", value: "1" }] }),
    "having.0.value",
    "invalid_query",
    /number/,
  ],
  [query({ order: [{ by: "hour" }] }), "order.0.by", "invalid_query", /asked for/],
  [
    { metrics: ["net"], having: [{ metric: "net", op: "gt", value: 1 }] },
    "having.0.metric",
    "mixed_currencies",
    /where\.currency/,
  ],
  [
    { metrics: ["net"], where: { currency: ["JPY", "USD"] }, order: [{ by: "net" }] },
    "order.0.by",
    "mixed_currencies",
    /do not compare/,
  ],
])("%j is refused", (body, parameter, code, right) => {
  expect(refused(body)).toMatchObject({ status: 400, code, parameter, detail: expect.stringMatching(right) });
});

test("amounts of several currencies may be ordered within each", () => {
  const order = [{ by: "currency" }, { by: "net", direction: "desc" }];
  expect(parseQuery({ metrics: ["net"], order }, "UTC", NOW_MS).ok).toBe(true);
});

test("a query of nothing but metrics is of today, in the merchant's zone", () => {
  const parsed = parseQuery(query({}), "Asia/Tokyo", NOW_MS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  expect(parsed.value).toMatchObject({
    zone: "Asia/Tokyo",
    fromMs: Date.UTC(2026, 9, 31, 15),
    toMs: NOW_MS,
    limit: 1_000,
  });
});

test("a moment is epoch milliseconds as a number, too", () => {
  const [fromMs, toMs] = [NOW_MS - 3_600_000, NOW_MS];
  const parsed = parseQuery(query({ from: fromMs, to: toMs }), "Asia/Tokyo", NOW_MS);
  expect(parsed).toEqual(parseQuery(query({ from: String(fromMs), to: String(toMs) }), "Asia/Tokyo", NOW_MS));
  expect(parsed).toMatchObject({ ok: true, value: { fromMs, toMs } });
});
