import { expect, test } from "vitest";
import { acceptEvent } from "../shared/accept-event.ts";
import { demoEvents, demoSchedule } from "./demo-events.ts";
import { demoMerchants } from "./demo-merchants.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const merchants = demoMerchants();
const options = { merchants, seed: "test", eventsPerSecond: 2 };
/** A Wednesday; Tokyo is nine hours ahead. */
const DAY = Date.UTC(2026, 10, 18);
const day = demoSchedule(options)(DAY, DAY + 24 * HOUR_MS);
const events = day.map(({ event }) => event);
const unique = new Map(events.map((event) => [event.event_id, event]));

test("fifty merchants with ids of their own, in five time zones and currencies", () => {
  expect(merchants).toHaveLength(50);
  expect(new Set(merchants.map(({ merchant_id }) => merchant_id)).size).toBe(50);
  expect(new Set(merchants.map(({ timezone }) => timezone)).size).toBe(5);
  expect(new Set(merchants.map(({ currency }) => currency)).size).toBe(5);
});

test("the same arguments give the same events, another seed others", () => {
  const span = { ...options, fromMs: DAY, toMs: DAY + 5 * MINUTE_MS };
  expect(demoEvents(span)).toEqual(demoEvents(span));
  expect(demoEvents({ ...span, seed: "other" }).map(({ event_id }) => event_id)).not.toEqual(
    demoEvents(span).map(({ event_id }) => event_id),
  );
});

test("a span is the sum of its parts, wherever it is cut: nothing is skipped or made twice", () => {
  const cuts = [0, 17, 1_000, 59_999, 60_000, 60_001, 184_321, 300_000].map((ms) => DAY + 5 * HOUR_MS + ms);
  const whole = demoEvents({ ...options, fromMs: cuts[0] ?? 0, toMs: cuts.at(-1) ?? 0 });
  const parts = cuts.slice(1).flatMap((toMs, index) => demoEvents({ ...options, fromMs: cuts[index] ?? 0, toMs }));
  expect(parts).toEqual(whole);
});

test("every event is one that ingest accepts, in its merchant's currency, sent when it has happened", () => {
  const currencies = new Map(merchants.map(({ merchant_id, currency }) => [merchant_id, currency]));
  const wrong = [...unique.values()].filter(
    (event) => !acceptEvent(event).ok || event.currency !== currencies.get(event.merchant_id),
  );
  expect(wrong).toEqual([]);
  expect(day.every(({ sentAtMs, event }) => sentAtMs >= event.occurred_at)).toBe(true);
  expect(day.every(({ sentAtMs }, index) => sentAtMs >= (day[index - 1]?.sentAtMs ?? DAY))).toBe(true);
});

test("all together about as many events a second as asked for, and at no hour silence or a flood", () => {
  const hours = Array.from({ length: 24 }, (_, hour) => between(DAY + hour * HOUR_MS, HOUR_MS).length / 3600);
  expect(day.length / 86_400).toBeGreaterThan(1.7);
  expect(day.length / 86_400).toBeLessThan(2.3);
  expect(Math.min(...hours)).toBeGreaterThan(1);
  expect(Math.max(...hours)).toBeLessThan(3);
});

test("cafés are full in the morning, ramen bars in the evening, and both are shut at night", () => {
  const inTokyo = (kind: string, hour: number) => {
    const ids = new Set(
      merchants.filter((m) => m.kind === kind && m.timezone === "Asia/Tokyo").map(({ merchant_id }) => merchant_id),
    );
    return between(DAY + (hour - 9) * HOUR_MS, HOUR_MS).filter(({ merchant_id }) => ids.has(merchant_id)).length;
  };
  expect(inTokyo("cafe", 9)).toBeGreaterThan(3 * inTokyo("cafe", 18));
  expect(inTokyo("ramen", 19)).toBeGreaterThan(3 * inTokyo("ramen", 15));
  expect(inTokyo("cafe", 23)).toBe(0);
});

test("a Saturday sells more books than a Wednesday, office lunches less", () => {
  const lunch = (fromMs: number, kind: string) =>
    demoEvents({ ...options, fromMs: fromMs + 3 * HOUR_MS, toMs: fromMs + 4 * HOUR_MS }).filter(
      ({ merchant }) => merchant?.business_type === kind,
    ).length;
  expect(lunch(DAY + 72 * HOUR_MS, "bookshop")).toBeGreaterThan(1.3 * lunch(DAY, "bookshop"));
  expect(lunch(DAY + 72 * HOUR_MS, "bento")).toBeLessThan(0.7 * lunch(DAY, "bento"));
});

test("about 3 % are refunds of an earlier payment, of no more than was paid, none refunded twice", () => {
  const refunds = [...unique.values()].filter(({ type }) => type === "refund");
  expect(refunds.length / events.length).toBeGreaterThan(0.025);
  expect(refunds.length / events.length).toBeLessThan(0.035);
  expect(new Set(refunds.map(({ refund_of }) => refund_of)).size).toBe(refunds.length);
  const ofThisDay = refunds.filter(({ refund_of }) => unique.has(refund_of ?? ""));
  expect(ofThisDay.length).toBeGreaterThan(refunds.length / 2);
  const wrong = ofThisDay.filter((refund) => {
    const paid = unique.get(refund.refund_of ?? "");
    const isSame = paid?.merchant_id === refund.merchant_id && paid.currency === refund.currency;
    return !isSame || paid.type !== "payment" || paid.occurred_at >= refund.occurred_at || paid.amount < refund.amount;
  });
  expect(wrong).toEqual([]);
});

test("about 1 % are sent twice, alike to the letter", () => {
  const repeats = events.length - unique.size;
  expect(repeats / events.length).toBeGreaterThan(0.007);
  expect(repeats / events.length).toBeLessThan(0.013);
  const text = new Map([...unique].map(([id, event]) => [id, JSON.stringify(event)]));
  expect(events.filter((event) => JSON.stringify(event) !== text.get(event.event_id))).toEqual([]);
});

test("a few arrive 1 to 20 minutes late, the others in the second they happened", () => {
  const late = day.filter(({ sentAtMs, event }) => sentAtMs - event.occurred_at > MINUTE_MS);
  expect(late.length / day.length).toBeGreaterThan(0.003);
  expect(late.length / day.length).toBeLessThan(0.01);
  expect(late.every(({ sentAtMs, event }) => sentAtMs - event.occurred_at < 20 * MINUTE_MS)).toBe(true);
});

test("regulars come back, walk-ins stay unknown, and nobody changes in between", () => {
  const cafe = events.filter(({ merchant_id }) => merchant_id === "cafe-hoshino");
  const visits = Map.groupBy(cafe, ({ user }) => user?.id ?? "walk-in");
  const known = [...visits].filter(([id]) => id !== "walk-in").map(([, visited]) => visited);
  expect(known.some((visited) => visited.length >= 2)).toBe(true);
  expect(known.filter((visited) => visited.length === 1).length).toBeGreaterThan(500);
  const changed = known.filter((visited) => new Set(visited.map(({ user }) => JSON.stringify(user))).size > 1);
  expect(changed).toEqual([]);
  expect((visits.get("walk-in")?.length ?? 0) / cafe.length).toBeCloseTo(0.12, 1);
});

test("amounts end as prices do where they are paid", () => {
  const amounts = (currency: string, kind: string) =>
    [...unique.values()]
      .filter((e) => e.type === "payment" && e.currency === currency && e.merchant?.business_type === kind)
      .map(({ amount }) => amount);
  expect(amounts("JPY", "cafe").every((yen) => yen % 10 === 0)).toBe(true);
  expect(amounts("JPY", "bookshop").every((yen) => yen % 10 === 8)).toBe(true);
  expect(amounts("EUR", "bookshop").every((cents) => [49, 99].includes(cents % 100))).toBe(true);
  expect(amounts("INR", "grocery").every((paise) => paise % 1000 === 900)).toBe(true);
});

function between(fromMs: number, spanMs: number) {
  return day.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < fromMs + spanMs).map(({ event }) => event);
}
