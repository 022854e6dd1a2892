import { expect, test, vi } from "vitest";

test("a time beside another has its date where that is another day", async () => {
  // What a browser has, and this process has not.
  vi.stubGlobal("localStorage", { getItem: () => "en" });
  vi.stubGlobal("document", { documentElement: { dataset: {} } });
  const { timeBeside } = await import("./format.ts");
  const now = "2026-11-27T14:20:00+09:00";
  expect(timeBeside("2026-11-27T14:10:00+09:00", now)).toBe("14:10");
  expect(timeBeside("2026-11-26T13:20:00+09:00", now)).toMatch(/26.*13:20/);
  vi.unstubAllGlobals();
});
