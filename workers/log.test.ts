import { DrizzleQueryError } from "drizzle-orm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LINES_PER_MINUTE_MAX, log } from "./log.ts";

const lines: Record<string, unknown>[] = [];

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
  for (const level of ["info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  }
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a call is one line of JSON, whatever is in its fields", () => {
  log("warn", "told", { request: "r", text: 'two\nlines "and" more', error: new Error("why") });
  expect(lines).toEqual([
    {
      level: "warn",
      message: "told",
      request: "r",
      text: 'two\nlines "and" more',
      error: "why",
      stack: expect.any(String),
    },
  ]);
});

test("a message that is said without end is left out for the rest of the minute; the next says how often", () => {
  for (let i = 0; i < LINES_PER_MINUTE_MAX + 40; i++) log("warn", "again and again", { i });
  log("error", "another", {});
  expect(lines).toHaveLength(LINES_PER_MINUTE_MAX + 1);
  expect(lines.at(-1)).toEqual({ level: "error", message: "another" });
  vi.setSystemTime(1_700_000_060_000);
  log("warn", "again and again", { i: "next" });
  log("warn", "again and again", { i: "last" });
  expect(lines.slice(-2)).toEqual([
    { level: "warn", message: "again and again", left_out: 40, i: "next" },
    { level: "warn", message: "again and again", i: "last" },
  ]);
});

test("of a statement that failed its values are not told, which may be anybody's", () => {
  const values = ["89abcdef01234567", "https://example.com/hook?token=abc\n    at x"];
  const error = new DrizzleQueryError("insert into alerts values (?, ?)", values, new Error("D1 is full"));
  log("warn", "directory unavailable", { error });
  expect(lines).toMatchObject([{ error: "Failed query: insert into alerts values (?, ?): Error: D1 is full" }]);
  expect(lines[0]?.stack).toContain("log.test.ts");
  for (const value of values) expect(JSON.stringify(lines)).not.toContain(value.slice(0, 16));
});
