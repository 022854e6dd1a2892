import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import {
  answerSchema,
  breakdownsSchema,
  cellSchema,
  changeSchema,
  countSchema,
  currencySchema,
  figuresSchema,
  moneySchema,
  revisionSchema,
  spanSchema,
  statusSchema,
  timeSchema,
} from "./answer-schema.ts";
import { COMPARISONS } from "./base-spans.ts";
import { GRANULARITIES } from "./calendar-unit.ts";
import { nested } from "./present.ts";
import { metricsRefundsSchema, undatedSchema } from "./refunds/refunds-schema.ts";

/** Objects within objects, strict all the way down. */
const figures = () => {
  const { payments, refunds, points, ...plain } = figuresSchema;
  return {
    payments: z.strictObject(payments),
    refunds: z.strictObject(refunds),
    points: z.strictObject(points),
    ...plain,
  };
};

const changes = () => {
  const { payments, refunds, points, ...plain } = nested(() => changeSchema);
  return z.strictObject({
    payments: z.strictObject(payments),
    refunds: z.strictObject(refunds),
    points: z.strictObject(points),
    ...plain,
  });
};

export const reportShape = { ...figures(), breakdowns: breakdownsSchema };
const figuresObject = z.strictObject(figures()).meta({ id: "Figures" });

const comparisonSchema = z
  .strictObject({
    bases: z.array(spanSchema).meta({ description: "What the base covers; several where it is their mean" }),
    current: figuresObject
      .optional()
      .meta({ description: "What has elapsed and is compared, where that is less than the whole" }),
    base: figuresObject,
    change: changes(),
  })
  .meta({ id: "Comparison" })
  .nullable()
  .optional()
  .meta({ description: "With `compare`; null where nothing has elapsed, or the base's clock skipped the time" });

const bucketShape = {
  status: statusSchema,
  revision: revisionSchema,
  ...figures(),
  breakdowns: breakdownsSchema.optional().meta({ description: "Without `group_by`" }),
  comparison: comparisonSchema,
};

const amountsSchema = z.array(z.strictObject({ from: moneySchema, to: moneySchema, count: countSchema })).meta({
  description:
    "With `amounts=true`: how many payments are of an amount in `[from, to)`, ascending, the empty ones left out. Up to 64 minor units each stands for itself, then 64 parts of each power of two: at most 1.6 % wide",
  examples: [
    [
      { from: 496, to: 500, count: 3 },
      { from: 500, to: 504, count: 41 },
    ],
  ],
});

const partSchema = z.strictObject({
  part: z.enum(["value", "other", "unspecified"]),
  value: z.string().nullable().meta({ description: "null unless `part` is `value`" }),
  total: cellSchema,
  buckets: z.array(cellSchema).meta({ description: "In the order of the series' buckets" }),
  comparison: z
    .strictObject({
      current: cellSchema,
      base: cellSchema,
      change: z.strictObject({ count: changeSchema, amount: changeSchema }),
    })
    .optional(),
});

const bucketSchema = z
  .strictObject({
    start: timeSchema,
    end: timeSchema,
    label: z.string().meta({
      description: "Local name of the hour, day, week (its Monday) or month",
      examples: ["2026-03-29"],
    }),
    ...bucketShape,
  })
  .meta({ id: "MetricsBucket" });

const seriesSchema = z.strictObject({
  currency: currencySchema,
  total: z.strictObject({ ...bucketShape, amounts: amountsSchema.optional() }),
  buckets: z.array(bucketSchema),
  refunds_undated: undatedSchema.optional(),
  groups: z
    .strictObject({ dimension: z.enum(DIMENSIONS), parts: z.array(partSchema) })
    .optional()
    .meta({ description: "With `group_by`: payments by value, largest first; the parts make the whole" }),
});

/** The answer to `GET /v1/merchants/{id}/metrics`. */
export const metricsAnswerSchema = answerSchema
  .extend({
    ...spanSchema.shape,
    granularity: z.enum(GRANULARITIES),
    compare: z
      .strictObject({
        with: z.enum(COMPARISONS),
        elapsed: spanSchema.meta({
          description: "What of the span is compared: what has elapsed, in windows that are complete",
        }),
        bases: z.array(spanSchema),
      })
      .optional(),
    refunds: metricsRefundsSchema.optional(),
    series: z.array(seriesSchema.meta({ id: "MetricsSeries" })).meta({ description: "One for each currency" }),
  })
  .meta({ id: "Metrics", description: "A series of reports and their total, for each currency" });
