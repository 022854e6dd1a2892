import { expect, test } from "vitest";
import { merchantRuleSchema } from "../../../alerts/rule.ts";
import { DAYS, FIRST_DRAFT, KINDS, ruleOf } from "./alert-rule.ts";

test("what the form begins with is a rule of the API, of either kind", () => {
  for (const kind of KINDS) expect(merchantRuleSchema.parse(ruleOf({ ...FIRST_DRAFT, kind })).kind).toBe(kind);
});

test("a shop that closes at midnight does, and is closed on days that are not chosen", () => {
  const rule = merchantRuleSchema.parse(ruleOf({ ...FIRST_DRAFT, to: "00:00", days: ["friday"] }));
  if (rule.kind !== "no_sales") throw new Error("another kind");
  expect(rule.opening_hours.friday).toEqual([{ from: "09:00", to: "24:00" }]);
  for (const day of DAYS) if (day !== "friday") expect(rule.opening_hours[day]).toEqual([]);
});
