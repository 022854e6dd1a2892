import { z } from "zod";
import { byDimension } from "../../shared/report.ts";
import { NOTICE_CODES } from "./notices.ts";
import { nested } from "./present.ts";

/** What several answers are made of, as whoever reads them as JSON gets it. */

export const timeSchema = z.iso
  .datetime({ offset: true })
  .meta({ description: "RFC 3339, in the zone of the answer", examples: ["2026-03-29T10:00:00+02:00"] });

export const spanSchema = z.strictObject({ from: timeSchema, to: timeSchema }).meta({ description: "`[from, to)`" });

export const currencySchema = z
  .string()
  .length(3)
  .meta({ description: "ISO 4217", examples: ["JPY"] });

/** Sums may pass 2^53, where a reader that has doubles only gets the nearest. */
export const integerSchema = z.number().multipleOf(1);
export const countSchema = z.int().min(0);
export const moneySchema = integerSchema.meta({ description: "In minor units of the currency", examples: [123_456] });

export const statusSchema = z.enum(["open", "provisional", "final"]).meta({
  description:
    "`open`: still filling. `provisional`: closed, late events still correct it. `final`: more than a day old.",
});

export const revisionSchema = countSchema.meta({
  description: "Epoch milliseconds of the last change to any of its windows; 0 for none",
});

export const noticesSchema = z
  .array(z.strictObject({ code: z.enum(NOTICE_CODES), message: z.string() }))
  .meta({ description: "What a reader of the numbers must know" });

export const cellSchema = z.strictObject({ count: countSchema, amount: moneySchema });

/** Of a report; what has no value without payments is null. */
export const figuresSchema = nested((figure) => {
  switch (figure) {
    case "payments.count":
    case "refunds.count":
    case "customers":
      return countSchema;
    case "payments.amount":
    case "refunds.amount":
    case "net":
      return moneySchema;
    case "points.used":
    case "points.earned":
      return integerSchema;
    default:
      return moneySchema.nullable();
  }
});

const breakdownSchema = z.strictObject({
  values: z.array(cellSchema.extend({ value: z.string() })),
  other: cellSchema,
  unspecified: cellSchema,
});

export const breakdownsSchema = z.strictObject(byDimension(() => breakdownSchema)).meta({ id: "Breakdowns" });

export const changeSchema = z
  .strictObject({
    absolute: integerSchema.nullable(),
    ratio: z.union([z.number(), z.literal("new")]).nullable(),
  })
  .meta({
    description:
      'By the size of the base: 0.25 is a quarter more. "new" where the base is zero and the value is not, null where both are.',
    examples: [{ absolute: 250, ratio: 0.25 }],
  });

/** What every answer says of itself. */
export const answerSchema = z.strictObject({
  stale: z
    .literal(true)
    .optional()
    .meta({ description: "What it is made of cannot be asked right now: this is of `as_of`, up to an hour ago" }),
  merchant_id: z.string(),
  timezone: z.string().meta({ examples: ["Europe/Berlin"] }),
  as_of: timeSchema,
  complete_through: timeSchema.meta({
    description:
      "The end of the latest closed window; earlier while a shard is away (`partial`) or counts windows anew (`windows_rebuilding`), perhaps before the span",
  }),
  notices: noticesSchema,
});
