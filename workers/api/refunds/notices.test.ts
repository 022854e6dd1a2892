import { expect, test } from "vitest";
import { EMPTY_CELL } from "../../../shared/breakdown.ts";
import type { MetricsRefunds } from "./metrics-refunds.ts";
import { noticesOfRefunds } from "./notices.ts";

const startMs = Date.UTC(2026, 10, 1);
const unread = { count: 30, amount: 900n };
const refunds: MetricsRefunds = {
  made: { fromMs: startMs, toMs: startMs + 86_400_000 },
  archivedThroughMs: startMs,
  stoppedMs: undefined,
  tooLargeMs: [],
  completeness: { asOfMs: startMs, completeThroughMs: startMs, isPartial: false, isRebuilding: false },
  dated: [],
  leftOut: new Map([["JPY", { ofOtherSales: EMPTY_CELL, withoutSale: EMPTY_CELL, unread }]]),
  ...{ counted: 40, salesCounted: 500, salesUnread: 20 },
};

test("how much could not be read is said of how much, and from when on when there was no time for it", () => {
  const said = noticesOfRefunds(refunds, "Asia/Tokyo").map(({ message }) => message);
  expect(said).toEqual([
    expect.stringMatching(/^30 of 40 refunds .* yet\.$/),
    expect.stringMatching(/^20 of 500 .* yet\.$/),
  ]);
  const stopped = noticesOfRefunds({ ...refunds, stoppedMs: startMs + 3_600_000 }, "Asia/Tokyo");
  expect(stopped.map(({ code }) => code)).toEqual(["refunds_unread", "sales_unread"]);
  for (const { message } of stopped) expect(message).toContain("2026-11-01T10:00:00+09:00 and later");
});

test("of an hour that has too much, compacted as it is, nobody is told to wait", () => {
  const tooLarge = { ...refunds, tooLargeMs: [startMs + 3_600_000] };
  for (const { message } of noticesOfRefunds(tooLarge, "Asia/Tokyo")) {
    expect(message).toContain(
      "from 2026-11-01T10:00:00+09:00 to 2026-11-01T11:00:00+09:00 the archive has more than can be read",
    );
    expect(message).toMatch(/waiting does not change that: begin a span an hour after it\.$/);
    expect(message).not.toContain("until then");
  }
  const both = {
    ...tooLarge,
    tooLargeMs: [...tooLarge.tooLargeMs, startMs + 7_200_000],
    stoppedMs: startMs + 9_000_000,
  };
  for (const { message } of noticesOfRefunds(both, "UTC")) {
    expect(message).toContain("and in 1 of the hours after it the archive has more");
    expect(message).toContain("2026-11-01T02:30:00Z and later");
  }
});

test("an answer that has read all of them says nothing", () => {
  expect(noticesOfRefunds({ ...refunds, leftOut: new Map(), salesUnread: 0 }, "UTC")).toEqual([]);
  expect(noticesOfRefunds(undefined, "UTC")).toEqual([]);
});
