import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { READ_OPERATIONS } from "./operations-read.ts";
import { PROBLEMS } from "./problems.ts";

test("whatever a read is refused with is told in the guide, by its code", () => {
  const guide = readFileSync("docs/reading.md", "utf8");
  const codes = new Set(Object.values(READ_OPERATIONS).flatMap(({ problems }) => problems));
  // They explain themselves, or are of the dashboard alone.
  const others = new Set(["not_found", "no_such_merchant", "csrf"]);
  const untold = [...codes].filter(
    (code) => !others.has(code) && !guide.includes(`\`${code}\``) && !guide.includes(` ${code}\``),
  );
  expect(untold.map((code) => `${PROBLEMS[code].statuses.join()} ${code}`)).toEqual([]);
});
