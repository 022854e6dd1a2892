import { expect, test } from "vitest";
import type { Bucket } from "../data/answers.ts";
import { isRevised, marksOf, revisedBy, withRevisions } from "./revisions.ts";

const END = "2026-11-27T10:10:00+09:00";
const END_MS = Date.parse(END);
const bucket = (net: number, revisionMs: number, over: Partial<Bucket> = {}) =>
  ({
    start: "2026-11-27T10:00:00+09:00",
    end: END,
    status: "provisional",
    net,
    revision: revisionMs,
    ...over,
  }) as Bucket;

test("a bucket is revised when something came after its grace; an open one never is", () => {
  expect(isRevised(bucket(1, END_MS + 120_000))).toBe(false);
  expect(isRevised(bucket(1, END_MS + 120_001))).toBe(true);
  expect(isRevised(bucket(1, END_MS + 120_001, { status: "open" }))).toBe(false);
});

test("by how much is told from before the first correction that was seen, whatever came in between", () => {
  const first = withRevisions(new Map(), [bucket(100, 1)], [bucket(150, 2)]);
  const second = withRevisions(first, [bucket(150, 2)], [bucket(130, 3)]);
  const [seen] = [...second.values()];
  expect(seen?.atMs).toBe(3);
  expect(seen && revisedBy(seen, "net")).toBe(30);
});

test("what was open, is of another length, or has not changed is no revision", () => {
  for (const before of [
    bucket(100, 1, { status: "open" }),
    bucket(100, 1, { end: "2026-11-27T10:05:00+09:00" }),
    bucket(100, 2),
  ]) {
    expect(withRevisions(new Map(), [before], [bucket(150, 2)]).size).toBe(0);
  }
});

test("a morning of which every window was revised is told in words, however much of the day is still to come", () => {
  const revised = Array.from({ length: 20 }, () => bucket(100, END_MS + 600_000));
  const toCome = Array.from({ length: 124 }, () => bucket(0, 0, { status: "open" }));
  const none = bucket(0, 0);
  const { unmarked, isMarked } = marksOf([none, ...revised, ...toCome], new Map());
  expect(unmarked).toEqual({ count: 20, of: 20, lastMs: END_MS + 600_000 });
  expect(revised.some(isMarked)).toBe(false);
});
