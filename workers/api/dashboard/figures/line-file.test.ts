import { expect, test } from "vitest";
import type { Bucket, Figures } from "../data/answers.ts";
import { comeWindows } from "../today/day-line.ts";
import { lineFile } from "./line-file.ts";

const START = "2026-11-27T09:00:00+09:00";
const END = "2026-11-27T09:10:00+09:00";

const figures = (net: number): Figures => ({
  payments: { count: 1, amount: net },
  refunds: { count: 0, amount: 0 },
  points: { used: 0, earned: 0 },
  ...{ net, average: net, min: net, max: net, p50: net, p90: net, p99: net, customers: 1 },
});

test("a window that the stream has told of since has the change of the value in its row", async () => {
  const unchanged = { absolute: 0, ratio: 0 };
  const comparison = { bases: [], base: figures(100), change: { net: unchanged } };
  const read = {
    start: START,
    end: END,
    label: START,
    status: "provisional",
    revision: 1,
    ...figures(100),
    comparison,
  };
  const report = { currency: "JPY", revision: 2, ...figures(150) };
  const told = { start: START, end: END, status: "provisional", reports: [report] };
  const buckets = comeWindows({
    buckets: [read as unknown as Bucket],
    currency: "JPY",
    windows: new Map([[START, told as never]]),
    asOfMs: Date.parse(END),
  });
  const span = { merchantId: "cafe", currency: "JPY", from: START, to: END, isCompared: true };
  const text = await lineFile(span, buckets).content.text();
  const [names = [], values = []] = text.split("\r\n").map((line) => line.split(","));
  const cell = (name: string) => values[names.indexOf(name)];
  expect([cell("net"), cell("base_net"), cell("change_net")]).toEqual(["150", "100", "0.5"]);
});
