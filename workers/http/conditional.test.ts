import { expect, test } from "vitest";
import { acceptsGzip, isNotModified } from "./conditional.ts";

test.each([
  ['"a1"', true],
  ['W/"a1"', true],
  ['"b2", "a1"', true],
  ["*", true],
  ['"b2"', false],
  ["a1", false],
  ['"a1', false],
  ["", false],
  [undefined, false],
])("If-None-Match: %s against the tag a1: %s", (header, expected) => {
  expect(isNotModified(header, "a1")).toBe(expected);
});

test.each([
  ["gzip", true],
  ["gzip, deflate, br", true],
  ["br;q=1.0, GZIP;q=0.5", true],
  ["*", true],
  ["*;q=0", false],
  ["gzip;q=0, *", false],
  ["gzip;q=0.0", false],
  ["br", false],
  ["", false],
  [undefined, false],
])("Accept-Encoding: %s takes gzip: %s", (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});
