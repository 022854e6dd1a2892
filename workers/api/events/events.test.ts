import { expect, test } from "vitest";
import { DAY_MS } from "../../../shared/window.ts";
import { historyFrom } from "../retention.ts";
import { presentEvents } from "./events.ts";
import { parseEvents } from "./parameters.ts";

const nowMs = Date.UTC(2026, 10, 28, 12);

test("a list that begins before history says so, and that objects cannot be read", () => {
  const codesOf = (fromMs: number, damaged: number) => {
    const parameters = parseEvents("shop", { from: String(fromMs) }, "Asia/Tokyo", nowMs);
    if (!parameters.ok) throw new Error("refused");
    const page = { events: [], next: undefined, isOutOfTime: false };
    const reading = { ...page, merchantId: "shop", parameters: parameters.value, asOfMs: nowMs, damaged };
    return presentEvents(reading).notices.map(({ code }) => code);
  };
  expect(codesOf(historyFrom(nowMs), 0)).toEqual([]);
  expect(codesOf(historyFrom(nowMs) - 1, 0)).toEqual(["before_history"]);
  expect(codesOf(historyFrom(nowMs) - DAY_MS, 2)).toEqual(["before_history", "archive_damaged"]);
});
