import { expect, test } from "vitest";
import { acceptEvent } from "../shared/accept-event.ts";
import { WINDOW_MS } from "../shared/window.ts";
import { shopEvents } from "./shop.ts";

const toMs = Date.UTC(2026, 10, 23, 12);
const options = { seed: "shop-1", count: 5_000, fromMs: toMs - 86_400_000, toMs };
const events = shopEvents(options);
const share = (count: number) => count / events.length;

test("the same arguments give the same rows, as many as asked for, each one that ingest accepts", () => {
  expect(shopEvents(options)).toEqual(events);
  expect(events).toHaveLength(5_000);
  for (const event of events) {
    expect(acceptEvent(event), JSON.stringify(event)).toMatchObject({ ok: true });
    expect(event.occurred_at).toBeGreaterThanOrEqual(options.fromMs);
    expect(event.occurred_at).toBeLessThan(toMs);
  }
});

test("ids never repeat, and yet rows repeat in everything else", () => {
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(events.length);
  const rest = new Set(events.map(({ event_id: _id, ...row }) => JSON.stringify(row)));
  expect(events.length - rest.size).toBeGreaterThan(20);
});

test("rows are hostile in the ways of the real shop's", () => {
  const count = (is: (event: (typeof events)[number]) => boolean) => events.filter(is).length;
  expect(share(count(({ user }) => user?.id === undefined))).toBeGreaterThan(0.15);
  expect(share(count(({ type }) => type === "refund"))).toBeGreaterThan(0.01);
  expect(count(({ refund_of }) => refund_of !== undefined)).toBeGreaterThan(5);
  expect(count(({ amount }) => amount === 0)).toBeGreaterThan(5);
  expect(share(count(({ merchant_id }) => merchant_id === "United-Kingdom"))).toBeGreaterThan(0.75);
  expect(new Set(events.map(({ merchant_id }) => merchant_id)).size).toBe(7);
  expect(new Set(events.map((e) => `${e.merchant_id} ${e.currency}`)).size).toBeGreaterThan(7);
  const minutes = Object.values(Object.groupBy(events, ({ occurred_at }) => occurred_at));
  expect(Math.max(...minutes.map((rows) => rows?.length ?? 0))).toBeGreaterThan(20);
  expect(count(({ occurred_at }) => occurred_at % WINDOW_MS === WINDOW_MS - 1)).toBeGreaterThan(5);
  expect(count(({ occurred_at }) => occurred_at % WINDOW_MS === 0)).toBeGreaterThan(5);
});

test("each dimension is there at times and missing at times", () => {
  const dimensions = [
    events.map(({ user }) => user?.grade),
    events.map(({ user }) => user?.gender),
    events.map(({ user }) => user?.country),
    events.map(({ user }) => user?.device),
    events.map(({ user }) => user?.age_band),
    events.map(({ merchant }) => merchant?.location),
    events.map(({ points_used }) => points_used),
    events.map(({ points_earned }) => points_earned),
    events.map(({ attributes }) => attributes),
  ];
  for (const values of dimensions) {
    expect(share(values.filter((value) => value !== undefined).length)).toBeGreaterThan(0.2);
    expect(share(values.filter((value) => value === undefined).length)).toBeGreaterThan(0.2);
  }
});
