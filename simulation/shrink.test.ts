import { expect, test } from "vitest";
import { shortestFailingPrefix } from "./shrink.ts";

async function shorten(failsAt: (steps: number) => boolean, steps: number) {
  const run = async (n: number) => (failsAt(n) ? { steps: n, failure: "broken" } : { steps: n });
  return (await shortestFailingPrefix({ steps, failure: "broken" }, run)).steps;
}

test("the shortest failing prefix is found, though what fails early may heal again", async () => {
  expect(await shorten((n) => n >= 137, 500)).toBe(137);
  expect(await shorten((n) => n >= 300 || (n >= 20 && n < 30), 500)).toBe(20);
  expect(await shorten(() => true, 500)).toBe(0);
  expect(await shorten((n) => n === 500, 500)).toBe(500);
});

test("a run that failed on its way needs no more steps than it had made", async () => {
  const made: number[] = [];
  const run = async (steps: number) => {
    made.push(steps);
    return steps >= 12 ? { steps, failure: "broken", failedAfter: 12 } : { steps };
  };
  const shortest = await shortestFailingPrefix({ steps: 500, failure: "broken", failedAfter: 40 }, run);
  expect(shortest.steps).toBe(12);
  expect(Math.max(...made)).toBe(41);
});
