import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "../shared/window.ts";
import { demoEvents, demoSchedule } from "./demo-events.ts";
import { demoMerchants } from "./demo-merchants.ts";
import { demoPast } from "./demo-past.ts";
import type { PaymentEventInput } from "./event-input.ts";

const merchants = demoMerchants();
const merchantIds = new Set(["cafe-hoshino", "sakura-drug", "bento-hanako", "chai-junction"]);
const options = { merchants, merchantIds, seed: "test", eventsPerSecond: 0.5 };
/** A Wednesday, and an hour in which all of them are open. */
const FROM = Date.UTC(2026, 10, 18, 5);
const TOKYO_MS = 9 * HOUR_MS;

const byId = (events: readonly PaymentEventInput[]) =>
  new Map(events.map((event) => [`${event.merchant_id}/${event.event_id}`, event]));

test("the past is what the demo sent at the time, to the letter and each event once", () => {
  const toMs = FROM + 2 * HOUR_MS;
  const past = demoPast(options)(FROM, toMs);
  // Late ones arrive within twenty minutes.
  const sent = demoSchedule(options)(FROM, toMs + HOUR_MS)
    .map(({ event }) => event)
    .filter((event) => merchantIds.has(event.merchant_id) && event.occurred_at >= FROM && event.occurred_at < toMs);
  expect(byId(past)).toEqual(byId(sent));
  expect(byId(past).size).toBe(past.length);
  expect(past.some(({ type }) => type === "refund")).toBe(true);
});

test("ids are of merchant, time and sequence: the same in another run, and wherever the span is cut", () => {
  const toMs = FROM + 6 * HOUR_MS;
  const whole = demoPast(options)(FROM, toMs);
  const parts = demoPast(options);
  const cut = [5, 0, 3, 1, 2, 4].flatMap((hour) => parts(FROM + hour * HOUR_MS, FROM + (hour + 1) * HOUR_MS));
  expect(byId(cut)).toEqual(byId(whole));
  expect(cut).toHaveLength(whole.length);
});

test("a merchant's past does not depend on whose else is made", () => {
  const alone = demoPast({ ...options, merchantIds: new Set(["cafe-hoshino"]) })(FROM, FROM + HOUR_MS);
  const among = demoPast(options)(FROM, FROM + HOUR_MS);
  expect(alone).toEqual(among.filter(({ merchant_id }) => merchant_id === "cafe-hoshino"));
});

/** Payments of a merchant on each local day of some weeks, from a Monday in Tokyo. */
const MONDAY = Date.UTC(2026, 9, 12) - TOKYO_MS;
const WEEKS = 7;
const weeks = demoPast(options)(MONDAY, MONDAY + WEEKS * 7 * DAY_MS);
const dailyOf = (merchantId: string) => {
  const days = Array.from({ length: WEEKS * 7 }, () => 0);
  for (const { merchant_id, occurred_at, type } of weeks) {
    const day = Math.floor((occurred_at - MONDAY) / DAY_MS);
    if (merchant_id === merchantId && type === "payment") days[day] = (days[day] ?? 0) + 1;
  }
  return days;
};
const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

test("a week has its rhythm: office lunches on working days, and on holidays as few as on Sundays", () => {
  const days = dailyOf("bento-hanako");
  const sundays = mean(days.filter((_, day) => day % 7 === 6));
  const tuesdays = mean(days.filter((_, day) => day % 7 === 1));
  expect(sundays).toBeLessThan(0.5 * tuesdays);
  // Culture Day, a Tuesday, and Labour Thanksgiving Day, a Monday.
  for (const holiday of [Date.UTC(2026, 10, 3), Date.UTC(2026, 10, 23)]) {
    expect(days[(holiday - TOKYO_MS - MONDAY) / DAY_MS]).toBeLessThan(0.5 * tuesdays);
  }
});

test("no two days are alike, and none is out of all proportion", () => {
  const days = dailyOf("cafe-hoshino");
  expect(new Set(days).size).toBeGreaterThan(days.length * 0.8);
  expect(Math.max(...days)).toBeLessThan(2.2 * Math.min(...days));
});

test("shops are shut at night where they stand, also where clocks go by half hours", () => {
  const localHour = (ms: number) => new Date(ms + 5.5 * HOUR_MS).getUTCHours();
  const hours = new Set(
    weeks
      .filter(({ merchant_id, type }) => merchant_id === "chai-junction" && type === "payment")
      .map(({ occurred_at }) => localHour(occurred_at)),
  );
  expect([0, 1, 2, 3, 4, 22, 23].filter((hour) => hours.has(hour))).toEqual([]);
  expect([7, 8, 12, 18].every((hour) => hours.has(hour))).toBe(true);
});

test("one had outages of some hours: no payment, with the days around as ever", () => {
  const noons = Array.from({ length: WEEKS * 7 }, (_, day) => MONDAY + day * DAY_MS + 12 * HOUR_MS);
  const inNoon = noons.map(
    (noonMs) =>
      weeks.filter(
        ({ merchant_id, occurred_at, type }) =>
          merchant_id === "sakura-drug" &&
          type === "payment" &&
          occurred_at >= noonMs &&
          occurred_at < noonMs + 3 * HOUR_MS,
      ).length,
  );
  expect(inNoon.filter((count) => count === 0).length).toBeGreaterThanOrEqual(2);
  expect(inNoon.filter((count) => count > 50).length).toBeGreaterThan(noons.length - 5);
});

test("customers come back over the weeks", () => {
  const ids = weeks.flatMap(({ merchant_id, user }) => (merchant_id === "cafe-hoshino" && user?.id ? [user.id] : []));
  const visits = Map.groupBy(ids, (id) => id);
  expect([...visits.values()].filter((visited) => visited.length >= 3).length).toBeGreaterThan(500);
});

test("live demo events go on at the rate of the past", () => {
  const day = demoEvents({ ...options, fromMs: FROM, toMs: FROM + HOUR_MS });
  const cafe = day.filter(({ merchant_id, type }) => merchant_id === "cafe-hoshino" && type === "payment").length;
  const before = weeks.filter(
    ({ merchant_id, type, occurred_at }) =>
      merchant_id === "cafe-hoshino" && type === "payment" && occurred_at >= FROM && occurred_at < FROM + HOUR_MS,
  ).length;
  expect(Math.abs(cafe - before)).toBeLessThan(8);
});
