import { z } from "zod";

/** What one look at an alert found. */

const time = z.string().meta({ description: "RFC 3339", examples: ["2026-11-23T10:40:00+09:00"] });
/** Integers of any size: in D1 as decimal text, shown as the number they are. */
const amount = z.string().regex(/^-?\d+$/);

export const FIRING_REASONS = ["no_sales", "below_baseline", "beyond_limit"] as const;
/** Why an alert that was looked at does not fire; of one that fired, what ended it. */
export const QUIET_REASONS = [
  "sale",
  "opened",
  "closed",
  "day_over",
  "recovered",
  "few_payments_yet",
  "within_limit",
] as const;
/** Why nothing can be said: then nothing changes, and nobody is told. */
export const UNKNOWN_REASONS = [
  "shard_unavailable",
  "history_unavailable",
  "late_events_pending",
  "queue_lag",
  "no_currency",
  "no_baseline",
  "pipeline_unknown",
] as const;

export const noSalesFactsSchema = z.object({
  kind: z.literal("no_sales"),
  quiet_since: time.meta({ description: "The end of the ten minutes with the last payment, or the opening." }),
  open_since: time,
  quiet_minutes: z.int(),
  known_through: time.meta({ description: "What came later is not judged yet." }),
});

export const baselineFactsSchema = z.object({
  kind: z.literal("below_baseline"),
  figure: z.enum(["net", "payments"]),
  currency: z.string().nullable(),
  value: amount,
  base: amount,
  /** Of the base, rounded down to hundredths. */
  percent: z.number(),
  from: time,
  to: time,
});

export const pipelineFactsSchema = z.object({
  kind: z.enum(["freshness", "dead_letters", "audit_differences", "queue_lag", "clickhouse_unreachable"]),
  measured: z.number().nullable().meta({ description: "Minutes, letters, or differences and doubts." }),
  detail: z.string(),
});

export const factsSchema = z.union([noSalesFactsSchema, baselineFactsSchema, pipelineFactsSchema]);
export type Facts = z.output<typeof factsSchema>;
export type FiringReason = (typeof FIRING_REASONS)[number];
export type QuietReason = (typeof QUIET_REASONS)[number];
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

export const checkSchema = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("firing"), reason: z.enum(FIRING_REASONS), facts: factsSchema }),
  z.object({ outcome: z.literal("quiet"), reason: z.enum(QUIET_REASONS), facts: factsSchema.nullable() }),
  z.object({ outcome: z.literal("unknown"), reason: z.enum(UNKNOWN_REASONS) }),
]);
export type Check = z.output<typeof checkSchema>;
