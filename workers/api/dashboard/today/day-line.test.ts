import { expect, test } from "vitest";
import { WINDOW_MS } from "../../../../shared/window.ts";
import type { ChartPoint } from "../chart/plot.ts";
import type { Bucket } from "../data/answers.ts";
import { comeWindows, type DayLineOptions, dayLine, quietOf } from "./day-line.ts";

const MIDNIGHT = Date.parse("2026-11-27T00:00:00+09:00");
const at = (window: number, offsetHours = 9) =>
  `${new Date(MIDNIGHT + window * WINDOW_MS + offsetHours * 3_600_000).toISOString().slice(0, 19)}+0${offsetHours}:00`;

const bucket = (window: number, net: number, over: Partial<Bucket> = {}) =>
  ({
    start: at(window),
    end: at(window + 1),
    revision: 1,
    net,
    payments: { count: net === 0 ? 0 : 1, amount: net },
    average: net === 0 ? null : net,
    ...over,
  }) as Bucket;

const options = (over: Partial<DayLineOptions> = {}): DayLineOptions => ({
  buckets: [100, 0, 50, 0].map((net, window) => bucket(window, net)),
  currency: "JPY",
  windows: new Map(),
  bases: [],
  measure: "net",
  isRunning: true,
  asOfMs: MIDNIGHT + 2.5 * WINDOW_MS,
  isMarked: () => false,
  ...over,
});

const valuesOf = (points: readonly ChartPoint[]) => points.map(({ value }) => value);
const basesOf = (points: readonly ChartPoint[]) => points.map(({ base }) => base);

test("the day adds up to now, its last window is open, and what is to come has no value", () => {
  const points = dayLine(options());
  expect(valuesOf(points)).toEqual([100, 100, 150, null]);
  expect(points.map(({ isOpen }) => isOpen)).toEqual([false, false, true, false]);
  expect(valuesOf(dayLine(options({ isRunning: false })))).toEqual([100, 0, 50, null]);
});

test("an average never adds up, and there is none of nothing", () => {
  expect(valuesOf(dayLine(options({ measure: "average" })))).toEqual([100, null, 50, null]);
});

test("what the stream tells goes before what was read, unless it is older", () => {
  const told = (revision: number) => {
    const report = { ...bucket(2, 80), currency: "JPY", revision } as never;
    return new Map([[at(2), { start: at(2), end: at(3), status: "open" as const, reports: [report] }]]);
  };
  expect(valuesOf(dayLine(options({ windows: told(2) })))).toEqual([100, 100, 180, null]);
  expect(valuesOf(dayLine(options({ windows: told(0) })))).toEqual([100, 100, 150, null]);
  expect(valuesOf(dayLine(options({ windows: told(2), currency: "USD" })))).toEqual([100, 100, 150, null]);
});

test("a file has the windows that have come, each as it was told of last", () => {
  const report = { ...bucket(2, 80), currency: "JPY", revision: 2 } as never;
  const windows = new Map([[at(2), { start: at(2), end: at(3), status: "open" as const, reports: [report] }]]);
  const come = comeWindows(options({ windows }));
  expect(come.map(({ net }) => net)).toEqual([100, 0, 80]);
  expect(come[2]).toMatchObject({ start: at(2), status: "open", revision: 2 });
});

test("in a file a window that was read as ended is not open, whatever the stream told before", () => {
  const report = { ...bucket(0, 100), currency: "JPY" } as never;
  const windows = new Map([[at(0), { start: at(0), end: at(1), status: "open" as const, reports: [report] }]]);
  const buckets = [bucket(0, 100, { status: "provisional" })];
  expect(comeWindows(options({ buckets, windows }))[0]?.status).toBe("provisional");
});

test("the base is the mean of its days, by the clock, and goes on to midnight", () => {
  const days = [[10, 10, 10, 10], [30]].map((nets) => nets.map((net, window) => bucket(window, net)));
  expect(basesOf(dayLine(options({ bases: days, isRunning: false })))).toEqual([20, 5, 5, 5]);
  expect(basesOf(dayLine(options({ bases: days })))).toEqual([20, 25, 30, 35]);
  expect(basesOf(dayLine(options()))).toEqual([null, null, null, null]);
});

test("a silence is told of only after an hour, and only where the base has five payments in it", () => {
  const day = (silent: number, base: number): ChartPoint[] =>
    Array.from({ length: 3 + silent }, (_, window) => ({
      atMs: window,
      value: window < 3 ? 4 : 0,
      base,
      isOpen: false,
      isRevised: false,
    }));
  expect(quietOf(day(5, 2))).toBeUndefined();
  expect(quietOf(day(6, 0.5))).toBeUndefined();
  expect(quietOf(day(6, 1))).toEqual({ minutes: 60, expected: 6 });
});
