import { z } from "zod";
import { cellSchema, countSchema, spanSchema, timeSchema } from "../answer-schema.ts";

/** With `refunds_by=sale`: how the refunds were found. */
export const metricsRefundsSchema = z
  .strictObject({
    by: z.literal("sale"),
    made: spanSchema.meta({
      description: "Refunds made in it were looked at: from an hour before the span, or its base, up to now",
    }),
    archived_through: timeSchema.meta({
      description: "What was received by then could be read one by one; `unread` says what could not",
    }),
    sales_unread: countSchema.meta({
      description:
        "Payments of the span that are counted, and cannot be read one by one: refunds of theirs may be in `of_other_sales`",
    }),
  })
  .meta({ description: "With `refunds_by=sale`" });

/** Of a currency. */
export const undatedSchema = z
  .strictObject({
    of_other_sales: cellSchema.meta({ description: "Of sales that are not in the span, or not known" }),
    without_sale: cellSchema.meta({ description: "Without `refund_of`" }),
    unread: cellSchema.meta({ description: "Counted, and not in the archive yet, or not to be read" }),
  })
  .meta({
    description: "With `refunds_by=sale`: refunds made in `refunds.made` that are in none of these numbers",
  });
