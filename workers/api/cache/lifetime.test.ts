import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "../../../shared/window.ts";
import { FINAL_KEPT_MS, lifetimeOf } from "./lifetime.ts";

const at = (time: string) => Date.parse(`2026-11-03T${time}:00Z`);

test.each([
  ["12:00", "12:10", "open", "12:02"],
  ["12:01", "12:10", "open", "12:02"],
  ["12:02", "12:10", "open", "12:10"],
  ["12:11", "12:10", "open", "12:12"],
  ["12:12", "12:10", "provisional", "12:20"],
  ["12:21", "12:10", "provisional", "12:22"],
] as const)("at %s a span to %s is %s, and holds until %s", (now, to, kind, expires) => {
  expect(lifetimeOf(at(to), at(now))).toEqual({ kind, expiresMs: at(expires) });
});

test("what is final is kept for long once nothing of its shard changes it any more", () => {
  const toMs = at("12:10");
  expect(lifetimeOf(toMs, toMs + DAY_MS + 6 * HOUR_MS - 1).kind).toBe("provisional");
  const asOfMs = toMs + DAY_MS + 6 * HOUR_MS;
  expect(lifetimeOf(toMs, asOfMs)).toEqual({ kind: "final", expiresMs: asOfMs + FINAL_KEPT_MS });
});
