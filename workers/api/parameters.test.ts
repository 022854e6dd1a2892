import { expect, test } from "vitest";
import { METRICS_PARAMETERS, parseMetrics, parseReport, REPORT_PARAMETERS, readQuery } from "./parameters.ts";

const NOW_MS = Date.UTC(2026, 10, 1, 12);

/** As the route does it. */
function metrics(search: string) {
  const query = readQuery(given(search), METRICS_PARAMETERS);
  return query.ok ? parseMetrics(query.value, "Asia/Tokyo", NOW_MS) : query;
}

function given(search: string): Record<string, string[]> {
  const all = new URLSearchParams(search);
  return Object.fromEntries([...new Set(all.keys())].map((name) => [name, all.getAll(name)]));
}

test.each([
  ["from=2026-03-02&to=2026-03-01", "to", "empty_range", /later than from/],
  ["from=2026-03-01&to=2026-03-01", "to", "empty_range", /later than from/],
  ["from=2027-03-01", "from", "empty_range", /before now/],
  ["from=now", "from", "empty_range", /unless to is given/],
  ["from=20260301", "from", "invalid_time", /a date is written 2026-03-29/],
  ["from=2021-11-01&to=2026-11-01&granularity=10m", "granularity", "too_many_buckets", /2200 at most.*granularity=1d/],
  ["from=0&to=7258118399999&granularity=1d", "from", "invalid_time", /seconds/],
  ["from=1971-01-01&to=2199-12-31&granularity=1d", "granularity", "too_many_buckets", /shorter range/],
  ["to=99999999999999999999", "to", "invalid_time", /micro/],
  ["from=2026-02-30", "from", "invalid_time", /no calendar/],
  ["from=2026-03-01T00:00:00+09:00", "from", "invalid_time", /%2B/],
  ["from='%20OR%201=1", "from", "invalid_time", /2026-03-29/],
  ["tz=Europe/Atlantis", "tz", "unknown_zone", /Europe\/Berlin/],
  ["tz=PST", "tz", "unknown_zone", /IANA/],
  ["tz=+09:00", "tz", "unknown_zone", /%2B/],
  ["currency=JPY,YEN", "currency", "invalid_currency", /ISO 4217/],
  ["currency=", "currency", "invalid_currency", /JPY,USD/],
  [
    `currency=${Array(21)
      .fill("JPY")
      .map(
        (_, at) =>
          [
            "AED",
            "AFN",
            "ALL",
            "AMD",
            "AOA",
            "ARS",
            "AUD",
            "AWG",
            "AZN",
            "BAM",
            "BBD",
            "BDT",
            "BHD",
            "BIF",
            "BMD",
            "BND",
            "BOB",
            "BRL",
            "BSD",
            "BTN",
            "BWP",
          ][at],
      )
      .join(",")}`,
    "currency",
    "invalid_currency",
    /Up to 20/,
  ],
  ["currency=JPY&currency=USD", "currency", "repeated_parameter", /JPY,USD/],
  ["granularity=2h", "granularity", "invalid_granularity", /10m, 1h, 1d, 1w, 1mo/],
  ["group_by=merchant_id", "group_by", "invalid_group_by", /payment_method/],
  ["group_by=country,gender", "group_by", "invalid_group_by", /One of/],
  ["compare=last_week", "compare", "invalid_compare", /same_weekday/],
  ["compare=", "compare", "invalid_compare", /four_week_average/],
  ["refunds_by=payment", "refunds_by", "invalid_refunds_by", /refund, sale/],
  ["refunds_by=", "refunds_by", "invalid_refunds_by", /One of/],
  ["amounts=10", "amounts", "invalid_amounts", /true, false/],
  ["groupby=country", "groupby", "unknown_parameter", /group_by/],
] as [string, string, string, RegExp][])("metrics?%s is refused", (search, parameter, code, right) => {
  const parsed = metrics(search);
  expect(parsed).toMatchObject({ ok: false, error: { status: 400, code, extensions: { parameter } } });
  if (!parsed.ok) expect(parsed.error.detail).toMatch(right);
});

test.each([
  ["at=noon", "at", "invalid_time"],
  ["tz=Nowhere", "tz", "unknown_zone"],
  ["currency=yen", "currency", "invalid_currency"],
  ["from=today", "from", "unknown_parameter"],
  ["compare=year_ago", "compare", "unknown_parameter"],
  ["refunds_by=sale", "refunds_by", "unknown_parameter"],
])("report?%s is refused", (search, parameter, code) => {
  const query = readQuery(given(search), REPORT_PARAMETERS);
  const parsed = query.ok ? parseReport(query.value, "Asia/Tokyo", NOW_MS) : query;
  expect(parsed).toMatchObject({ ok: false, error: { status: 400, code, extensions: { parameter } } });
});

test("nothing given is today so far, by hour, of all currencies", () => {
  expect(metrics("")).toMatchObject({
    ok: true,
    value: {
      ...{ zone: "Asia/Tokyo", granularity: "1h", currencies: [] },
      ...{ groupBy: undefined, compare: undefined, refundsBy: "refund" },
    },
  });
});
