import { describe, expect, test } from "vitest";
import type { Check } from "./check.ts";
import { decideStanding, type Standing } from "./standing.ts";

const MINUTE_MS = 60_000;
const facts = { kind: "dead_letters" as const, measured: 1, detail: "" };
const CHECKS: Readonly<Record<string, Check>> = {
  f: { outcome: "firing", reason: "beyond_limit", facts },
  q: { outcome: "quiet", reason: "within_limit", facts },
  "?": { outcome: "unknown", reason: "pipeline_unknown" },
};
const NEW: Standing = { firingSince: null, remindedAt: null, contradictedSince: null };

/** A look a minute; a notice is its first letter and the minute of the firing it belongs to. */
function told(looks: string, rules = { fireMs: 0, clearMs: 0, remindEveryMs: null as number | null }): string[] {
  let standing = NEW;
  return [...looks].map((letter, minute) => {
    const decided = decideStanding(standing, CHECKS[letter] as Check, rules, minute * MINUTE_MS);
    standing = decided.standing;
    const { told } = decided;
    return told === undefined ? "-" : `${told.type.split(".")[1]?.[2] ?? ""}${told.firedMs / MINUTE_MS}`;
  });
}
/** `r` of fired, `s` of resolved, `m` of reminder. */
describe("an alert", () => {
  test.each<[string, string, string]>([
    ["that stays quiet tells nothing", "qqqq", "- - - -"],
    ["that fires tells it once, and its end once", "qfffqq", "- r1 - - s1 -"],
    ["that fires again is another firing", "fqf", "r0 s0 r2"],
    ["that nobody can tell of stands as it stood", "f???fq", "r0 - - - - s0"],
    ["that nobody can tell of begins nothing", "???", "- - -"],
  ])("%s", (_, looks, expected) => {
    expect(told(looks)).toEqual(expected.split(" "));
  });

  test.each<[string, string, string]>([
    ["fires once it was away for two minutes", "fff", "- - r2"],
    ["does not fire when it flickers", "fqffqf", "- - - - - -"],
    ["does not count what nobody knows", "ff?fff", "- - - - - r5"],
    ["is over after three minutes without", "fffqqqq", "- - r2 - - - s2"],
    ["is not over when it flickers", "fffqqfqqq", "- - r2 - - - - - -"],
  ])("with holds %s", (_, looks, expected) => {
    expect(told(looks, { fireMs: 2 * MINUTE_MS, clearMs: 3 * MINUTE_MS, remindEveryMs: null })).toEqual(
      expected.split(" "),
    );
  });

  test("is told again as often as it was asked, while it is known to fire", () => {
    expect(told("ffff?ffq", { fireMs: 0, clearMs: 0, remindEveryMs: 2 * MINUTE_MS })).toEqual(
      "r0 - m0 - - m0 - s0".split(" "),
    );
  });
});
