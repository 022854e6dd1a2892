import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { COMPARISONS } from "./base-spans.ts";
import { GRANULARITIES } from "./calendar-unit.ts";
import { REFUND_DATES } from "./refunds/refund-date.ts";

/** Parameters of reads as they stand in a URL; `parameters.ts` makes of the texts what they mean, which takes the zone and the clock. */

const moment = z.string().meta({
  description:
    "Epoch milliseconds, RFC 3339, or by the clock of `tz` a date, a date and time, `now`, `today` or `yesterday`",
  examples: ["2026-03-29", "2026-03-29T10:00:00+02:00", "today"],
});

export const parameterShapes = {
  from: moment,
  to: moment,
  at: moment,
  tz: z.string().meta({ description: "IANA time zone; the merchant's own if left out", examples: ["Asia/Tokyo"] }),
  currency: z.string().meta({ description: "ISO 4217 codes; all there are if left out", examples: ["JPY", "JPY,USD"] }),
  granularity: z.enum(GRANULARITIES).meta({ description: "Of the buckets; what is readable for the span if left out" }),
  group_by: z.enum(DIMENSIONS).meta({ description: "The series of each value, too" }),
  compare: z.enum(COMPARISONS).meta({ description: "Beside what was before, over the same elapsed time" }),
  refunds_by: z.enum(REFUND_DATES).meta({
    description:
      "What refunds are dated by: their own moment, if left out, or that of their sale, of spans that begin 92 days ago at the most",
  }),
  amounts: z.enum(["true", "false"]).meta({ description: "How large payments are, too, in the totals; not in CSV" }),
  format: z.enum(["json", "csv"]).meta({ description: "Goes before `Accept`" }),
  bom: z.enum(["true", "false"]).meta({ description: "A byte order mark before CSV, for spreadsheets" }),
  q: z
    .string()
    .max(200)
    .meta({ description: "How an id begins, or a name whatever its case", examples: ["café"] }),
  limit: z.int().min(1).max(1_000).meta({ description: "Items of a page" }),
  cursor: z.string().meta({ description: "`next_cursor` of the page before" }),
};

export const merchantPath = z.object({ merchant: z.string().meta({ examples: ["cafe-hoshino"] }) });
