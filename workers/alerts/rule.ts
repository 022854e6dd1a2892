import { z } from "zod";
import { isCurrency } from "../../shared/iso-codes.ts";
import { longestOpenMinutes, openingHoursSchema } from "./opening-hours.ts";

/** Alerts of one merchant, and of operators together. */
export const ALERTS_MAX = 20;

/** A gap is told by ten-minute windows, and looked for as far back as a day. */
const GAP_MINUTES_MIN = 10;
const GAP_MINUTES_MAX = 1_440;
/** Fewer payments than this by now, in the four weeks' mean, tell nothing: one customer more or less would be a drop. */
const BASE_PAYMENTS_DEFAULT = 10;

const noSalesSchema = z
  .strictObject({
    kind: z.literal("no_sales"),
    minutes: z.int().min(GAP_MINUTES_MIN).max(GAP_MINUTES_MAX).meta({
      description: "Of opening hours without a payment. Told by ten-minute windows: up to ten minutes later.",
    }),
    opening_hours: openingHoursSchema,
  })
  .refine(({ minutes, opening_hours }) => longestOpenMinutes(opening_hours) >= minutes, {
    path: ["minutes"],
    message: "longer than the shop is ever open at a stretch: it would never fire",
  })
  .meta({ description: "No payment for so long while the shop is open, since the last one or since it opened." });

const belowBaselineSchema = z
  .strictObject({
    kind: z.literal("below_baseline"),
    figure: z.enum(["net", "payments"]).meta({ description: "Net sales, or the number of payments." }),
    percent: z.int().min(1).max(99).meta({
      description: "Fires below so much of the mean of the same weekday of four weeks, by the same time of day.",
    }),
    currency: z
      .string()
      .refine(isCurrency, "an ISO 4217 code such as JPY")
      .nullable()
      .default(null)
      .meta({ description: "The merchant's own unless it is said." }),
    base_payments_min: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(BASE_PAYMENTS_DEFAULT)
      .meta({ description: "With fewer payments than this in the mean, nothing is said yet." }),
  })
  .meta({ description: "Today so far is below a share of what the four weeks had by this time." });

/** Rules of a merchant's alerts. */
export const merchantRuleSchema = z
  .discriminatedUnion("kind", [noSalesSchema, belowBaselineSchema])
  .meta({ id: "MerchantAlertRule" });

const minutes = (byDefault: number, description: string) =>
  z.int().min(1).max(1_440).default(byDefault).meta({ description });

/** Rules of operators' alerts: the state of the pipeline. */
export const operatorRuleSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("freshness"),
      minutes: minutes(15, "Since the end of the oldest closed window that is not in history."),
    }),
    z.strictObject({ kind: z.literal("dead_letters") }),
    z.strictObject({ kind: z.literal("audit_differences") }),
    z.strictObject({
      kind: z.literal("queue_lag"),
      minutes: minutes(10, "That the oldest waiting message has waited."),
    }),
    z.strictObject({
      kind: z.literal("clickhouse_unreachable"),
      minutes: minutes(2, "That ClickHouse has not answered for."),
    }),
  ])
  .meta({ id: "OperatorAlertRule" });

/** As stored. */
export const ruleSchema = z.union([merchantRuleSchema, operatorRuleSchema]);

export type MerchantRule = z.output<typeof merchantRuleSchema>;
export type OperatorRule = z.output<typeof operatorRuleSchema>;
export type Rule = MerchantRule | OperatorRule;
export type NoSalesRule = z.output<typeof noSalesSchema>;
export type BelowBaselineRule = z.output<typeof belowBaselineSchema>;

export type RuleKind = Rule["kind"];
