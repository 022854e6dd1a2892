import { expect, test } from "vitest";
import { because, REASON_CODES, type ReasonCode } from "../../../health/reason.ts";
import { OPERATORS } from "../text/pages/operators.ts";

/** What a reason is filled in with. */
function valuesOf(code: ReasonCode): string[] {
  const asked = new Set<string>();
  const values = new Proxy({}, { get: (_, name) => asked.add(String(name)) && 0 });
  (because as (code: ReasonCode, values: object) => unknown)(code, values);
  return [...asked];
}

test("every reason for which a part is not well is told in both languages, with what it is filled in with", () => {
  for (const messages of Object.values(OPERATORS)) {
    const text: Readonly<Record<string, string>> = messages;
    for (const code of REASON_CODES) {
      const blanks = [...(text[`because.${code}`] ?? "").matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      // What somebody else said stands beside it, in their language.
      const wanted = valuesOf(code).filter((name) => name !== "failure");
      expect(text[`because.${code}`]?.trim(), code).toBeTruthy();
      expect(blanks.sort(), code).toEqual(wanted.sort());
    }
  }
});
