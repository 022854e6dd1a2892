import { z } from "zod";
import { byDimension } from "../../shared/report.ts";
import {
  answerSchema,
  countSchema,
  currencySchema,
  integerSchema,
  revisionSchema,
  spanSchema,
  statusSchema,
  timeSchema,
} from "./answer-schema.ts";
import { eachFigure } from "./figures.ts";

const rowSchema = z
  .strictObject({
    currency: currencySchema,
    start: timeSchema
      .optional()
      .meta({ description: "With the dimension `time`, as are end, label, status and revision" }),
    end: timeSchema.optional(),
    label: z.string().optional(),
    status: statusSchema.optional(),
    revision: revisionSchema.optional(),
    weekday: z.int().min(1).max(7).optional().meta({ description: "1 is Monday" }),
    hour: z.int().min(0).max(23).optional().meta({ description: "Of the zone's clock" }),
    part: z.enum(["value", "other", "unspecified"]).optional().meta({
      description: "With a breakdown; `other`: all values beyond those that are kept. `unspecified`: payments without.",
    }),
    ...byDimension(() => z.string().nullable().optional()),
    ...eachFigure(() => integerSchema.nullable().optional()),
  })
  .meta({
    description: "The dimensions and metrics that were asked for; money in minor units of the row's currency",
    examples: [{ currency: "JPY", weekday: 5, hour: 18, "payments.amount": 1_204_300 }],
  });

/** The answer to `POST /v1/merchants/{id}/query`. */
export const queryAnswerSchema = answerSchema
  .extend({
    ...spanSchema.shape,
    rows: z.array(rowSchema),
    rows_found: countSchema.meta({ description: "Without the limit" }),
    truncated: z.boolean(),
    cost: z
      .strictObject({
        rows_read: countSchema,
        bytes_read: countSchema,
        elapsed_ms: z.number().min(0),
        hot_windows: countSchema.meta({ description: "Windows that are not history's yet, and were merged with it" }),
      })
      .meta({ description: "What ClickHouse read for it, and how long that took" }),
  })
  .meta({ id: "QueryResult", description: "The rows of an ad-hoc query" });
