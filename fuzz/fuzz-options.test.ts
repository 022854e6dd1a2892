import { expect, test } from "vitest";
import { parseFuzzCommand } from "./fuzz-options.ts";

test("a case is repeated by its number alone", () => {
  expect(parseFuzzCommand(["--seed", "7", "--case", "42"])).toEqual({
    command: { cases: 1, seed: 7, first: 42, json: false },
  });
});

test("a run is of a hundred thousand cases unless it is said otherwise, and may go on from any", () => {
  expect(parseFuzzCommand([])).toEqual({ command: { cases: 100_000, seed: 1, first: 0, json: false } });
  expect(parseFuzzCommand(["--first", "500", "--cases", "9"])).toMatchObject({ command: { cases: 9, first: 500 } });
});

test.each([["--cases", "0"], ["--seed", "x"], ["--case", "-1"], ["--what"]])(
  "%s %s is refused with a word on why",
  (...args) => {
    expect(parseFuzzCommand(args)).toHaveProperty("wrong");
  },
);
