import { expect, test } from "vitest";
import { Receipts } from "./accounting.ts";
import { growthMb } from "./memory.ts";

const receipt = (request: string, counts: object) => ({
  ...{ status: 200, headers: new Map([["x-request-id", request]]) },
  text: JSON.stringify({ accepted: 0, duplicates: 0, late: 0, rejected: 0, errors: [], ...counts }),
});

test("the archive must have of each request what its receipt says went on, and nothing of another", () => {
  const receipts = new Receipts();
  receipts.note(receipt("a", { accepted: 2, duplicates: 1, rejected: 5 }));
  receipts.note(receipt("b", { queued: 4, late: 1 }));
  receipts.note(receipt("c", { rejected: 1 }));
  expect(receipts.lines).toBe(8);
  expect(
    receipts.differences(
      new Map([
        ["a", 3],
        ["b", 5],
      ]),
    ),
  ).toEqual([]);
  const wrong = receipts.differences(
    new Map([
      ["a", 2],
      ["b", 5],
      ["c", 1],
      ["d", 1],
    ]),
  );
  expect(wrong.map((text) => text.slice(0, 9))).toEqual(["request a", "request c", "request d"]);
});

test("memory that swings has not grown, memory that never comes back has, and that it fills at first tells nothing", () => {
  const swinging = Array.from({ length: 100 }, (_, at) => 200 + (at % 7) * 40);
  expect(growthMb(swinging, 1_000)).toBeLessThanOrEqual(0);
  const leaking = Array.from({ length: 100 }, (_, at) => 200 + at * 10);
  expect(growthMb(leaking, 1_000)).toBeGreaterThan(300);
  const filling = Array.from({ length: 100 }, (_, at) => Math.min(1_000, 200 + at * 40));
  expect(growthMb(filling, 1_000)).toBe(0);
  expect(growthMb(leaking, 200)).toBeNull();
});
