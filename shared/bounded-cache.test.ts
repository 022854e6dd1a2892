import { expect, test } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

test("an entry is found until it expires, not at that moment any more", () => {
  const cache = new BoundedCache<string, number>(2);
  cache.set("a", 1, 100);
  expect(cache.get("a", 99)).toBe(1);
  expect(cache.get("a", 100)).toBeUndefined();
  expect(cache.size).toBe(0);
});

test("there are never more entries than the limit; the one set longest ago makes room", () => {
  const cache = new BoundedCache<number, number>(3);
  for (let key = 0; key < 10; key++) cache.set(key, key, 100);
  expect(cache.size).toBe(3);
  expect([6, 7, 8, 9].map((key) => cache.get(key, 0))).toEqual([undefined, 7, 8, 9]);
});

test("setting an entry again replaces it, makes it the newest, and pushes no other out", () => {
  const cache = new BoundedCache<string, number>(2);
  cache.set("a", 1, 100);
  cache.set("b", 2, 100);
  cache.set("a", 3, 100);
  expect([cache.get("a", 0), cache.get("b", 0)]).toEqual([3, 2]);
  cache.set("a", 3, 100);
  expect([cache.get("a", 0), cache.get("b", 0)]).toEqual([3, 2]);
  cache.set("c", 4, 100);
  expect([cache.get("a", 0), cache.get("b", 0), cache.get("c", 0)]).toEqual([3, undefined, 4]);
});

test("a value that stands for nothing found is remembered like any other", () => {
  const cache = new BoundedCache<string, null>(1);
  cache.set("a", null, 100);
  expect(cache.get("a", 0)).toBeNull();
});
