import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { HISTORY_KEPT_DAYS, type ReadHistoryEnv, refuseGone, WindowsGone, windowsKeptFrom } from "./retention.ts";

const NOW_MS = Date.UTC(2026, 10, 26, 12);
const env = (days?: string) => ({ WINDOWS_KEPT_DAYS: days }) as unknown as ReadHistoryEnv;
const span = (fromMs: number) => ({ fromMs, toMs: fromMs + WINDOW_MS });

test("windows are kept as long as all of history, unless the setting says fewer days", () => {
  expect(windowsKeptFrom(env(), NOW_MS)).toBe(Date.UTC(2026, 10, 27) - HISTORY_KEPT_DAYS * DAY_MS);
  expect(windowsKeptFrom(env("90"), NOW_MS)).toBe(Date.UTC(2026, 10, 27) - 90 * DAY_MS);
  for (const wrong of ["a few", "0", "6", "7.5"]) {
    expect(() => windowsKeptFrom(env(wrong), NOW_MS)).toThrow("WINDOWS_KEPT_DAYS");
  }
});

test("windows that are gone are refused, those that are kept are read", () => {
  const keptFromMs = windowsKeptFrom(env("90"), NOW_MS);
  expect(() => refuseGone([span(keptFromMs - WINDOW_MS)], keptFromMs, NOW_MS)).toThrow(WindowsGone);
  expect(() => refuseGone([span(keptFromMs), span(keptFromMs + HOUR_MS)], keptFromMs, NOW_MS)).not.toThrow();
});

test("a span of before all history is no refusal: nothing was ever kept of it", () => {
  const keptFromMs = windowsKeptFrom(env("90"), NOW_MS);
  expect(() => refuseGone([span(Date.UTC(2010, 0))], keptFromMs, NOW_MS)).not.toThrow();
});
