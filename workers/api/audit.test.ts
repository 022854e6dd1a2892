import { expect, test } from "vitest";
import { archiveKey } from "../../shared/archive-key.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { doneAbout } from "./audit.ts";

const FROM_MS = Date.UTC(2026, 2, 1);
const pass = (...damagedHours: number[]) => ({
  fromMs: FROM_MS,
  toMs: FROM_MS + 3 * HOUR_MS,
  damaged: damagedHours.map((hour) => ({ key: archiveKey(FROM_MS + hour * HOUR_MS, "1-abc"), reason: "cut off" })),
});

test.each([
  ["changed", "all of it was read", pass(), "replayed"],
  ["missing", "another hour was not read", pass(2), "replayed"],
  ["changed", "its own hour was not read", pass(1), "left: an object"],
  ["missing", "an hour beside the pass was not read", pass(3), "left: an object"],
  ["short", "all of it was read", pass(), "left: the archive has fewer"],
])("of a window that is %s when %s is said what was done", (verdict, _, found, done) => {
  const windowStart = FROM_MS + HOUR_MS + 600_000;
  expect(doneAbout({ windowStart, verdict }, [found])).toContain(done);
});
