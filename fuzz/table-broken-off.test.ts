import { expect, test } from "vitest";
import { tableBrokenOff } from "./table-broken-off.ts";

const line = { level: "warn", message: "table broken off", request: "r-1", error: "…", isPassing: true };

test("a table that was broken off for want of time is known by its request, one that a bug ended is not", () => {
  expect(tableBrokenOff(JSON.stringify(line))).toBe("r-1");
  expect(tableBrokenOff(JSON.stringify({ ...line, isPassing: false }))).toBeUndefined();
  expect(tableBrokenOff(JSON.stringify({ ...line, message: "events taken" }))).toBeUndefined();
  expect(tableBrokenOff("a line of the runtime")).toBeUndefined();
});
