import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson } from "./exact-json.ts";

test("a number that is no safe integer is the text it is written with", () => {
  expect(parseExactJson('{"id":9007199254740993,"in":[-0.10,1e3,12,1.50,1e400]}')).toEqual({
    id: "9007199254740993",
    in: ["-0.10", 1000, 12, "1.50", "1e400"],
  });
});

test("all else is as JSON.parse has it", () => {
  fc.assert(
    fc.property(fc.jsonValue().filter(hasPlainNumbers), (value) => {
      const json = JSON.stringify(value);
      expect(parseExactJson(json)).toEqual(JSON.parse(json));
    }),
  );
  expect(() => parseExactJson("{")).toThrow(SyntaxError);
});

/** Numbers that are safe integers are as they were; a run of digits within a text may keep it out, too. */
function hasPlainNumbers(value: unknown): boolean {
  return !/[0-9]\.|[0-9]e[+-]?\d|\d{16}/i.test(JSON.stringify(value));
}
