import { afterEach, expect, test, vi } from "vitest";
import { metricsPath } from "./steady-reads.ts";

afterEach(() => void vi.useRealTimers());

test("what was sent when a long flood began is read at its end, too", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 5, 0) });
  expect(metricsPath("shop", Date.UTC(2026, 0, 2, 3, 44))).toContain(`from=${Date.UTC(2026, 0, 2, 2, 40)}&`);
});
