import { expect, test } from "vitest";
import { filterOf, isFiltered, paymentsCsvPath, paymentsPath } from "./payments-filter.ts";

const WISH = { merchantId: "cafe-hoshino", zone: "Asia/Tokyo", from: "2026-11-01", to: "now", currency: undefined };
const queryOf = (path: string) => Object.fromEntries(new URL(path, "https://tally.example").searchParams);

test("what an address says of a filter is what the API is asked for", () => {
  const filter = filterOf({ type: "payment", payment_method: "card", location: "", colour: "red" });
  expect(queryOf(paymentsPath({ ...WISH, currency: "JPY", filter }))).toEqual({
    ...{ from: "2026-11-01", to: "now", tz: "Asia/Tokyo", currency: "JPY", limit: "50" },
    ...{ type: "payment", payment_method: "card", location: "" },
  });
});

test("the payments behind one bucket are those between its ends, whatever the span", () => {
  const between = { since: "2026-11-02T10:00:00+09:00", until: "2026-11-02T10:10:00+09:00" };
  const filter = filterOf(between);
  expect(queryOf(paymentsCsvPath({ ...WISH, filter }))).toMatchObject({
    from: between.since,
    to: between.until,
    format: "csv",
  });
});

test("what is none of ours, or the wrong way round, filters nothing", () => {
  expect(isFiltered(filterOf({ type: "gift", since: "2026-11-03", until: "2026-11-02" }))).toBe(false);
  expect(isFiltered(filterOf({ grade: "" }))).toBe(true);
});
