import { expect, test } from "vitest";
import { describeReport } from "./fuzz-report.ts";
import type { FuzzReport } from "./fuzz-run.ts";

const report: FuzzReport = {
  ...{
    seed: 7,
    first: 100,
    cases: 42,
    brokenOff: false,
    seconds: 3,
    statuses: { 200: 42 },
    codes: {},
    serverErrors: 0,
  },
  ...{ tablesBrokenOff: 0, slowestMs: 12, memoryMb: { first: 200, last: 210, samples: [200, 210] } },
  heapMb: { first: 30, last: 40, growth: 10, samples: [30, 40] },
  ...{ archivedEvents: 5, countedEvents: 4, faults: [], faultCount: 0 },
};

test("a run that was broken off says so, beside what it found until then", () => {
  expect(describeReport(report)).toMatch(/^42 cases from 100 of seed 7 in 3 s\n/);
  const text = describeReport({ ...report, brokenOff: true });
  expect(text).toMatch(/^42 cases from 100 of seed 7 in 3 s: broken off/);
  expect(text).toContain("nothing found so far");
});

test("a fault is told with the command that repeats it, and what was not measured is no number", () => {
  const fault = { index: 141, request: "GET /x", what: "status 500", answer: "500" };
  const memoryMb = { first: Number.NaN, last: Number.NaN, samples: [] };
  const text = describeReport({ ...report, faults: [fault], faultCount: 1, memoryMb });
  expect(text).toContain("npm run fuzz -- --seed 7 --case 141");
  expect(text).toContain("1 faults");
  expect(text).not.toContain("NaN");
});
