import type { z } from "zod";
import type { merchantRuleSchema } from "../../../alerts/rule.ts";

/** As the API takes a rule, what it fills in by itself left out. */
export type NewRule = z.input<typeof merchantRuleSchema>;

export const KINDS = ["no_sales", "below_baseline"] as const;
export type Kind = (typeof KINDS)[number];

export const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export type Day = (typeof DAYS)[number];

/** What stands in the form. Hours are the same on each day that is open; others than that are set through the API. */
export interface RuleDraft {
  readonly kind: Kind;
  readonly minutes: number;
  readonly from: string;
  readonly to: string;
  readonly days: readonly Day[];
  readonly figure: "net" | "payments";
  readonly percent: number;
}

export const FIRST_DRAFT: RuleDraft = {
  kind: "no_sales",
  minutes: 60,
  from: "09:00",
  to: "18:00",
  days: DAYS,
  figure: "net",
  percent: 70,
};

export function ruleOf({ kind, minutes, from, to, days, figure, percent }: RuleDraft): NewRule {
  if (kind === "below_baseline") return { kind, figure, percent };
  // A field of time has no 24:00.
  const hours = [{ from, to: to === "00:00" ? "24:00" : to }];
  return { kind, minutes, opening_hours: Object.fromEntries(days.map((day) => [day, hours])) };
}
