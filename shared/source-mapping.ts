import { z } from "zod";

/** How rows of a database become payments: what a source has whose requests are change events (docs/collect.md). */

export const TABLES_MAX = 64;
/** One change may be told as several events, such as a payment and its refund. */
export const RULES_PER_TABLE_MAX = 4;
export const VALUES_MAX = 256;
export const COLUMN_LENGTH_MAX = 200;
/** In characters of its JSON, so that it fits a row of D1 and every isolate's memory. */
export const MAPPING_LENGTH_MAX = 65_536;

const column = z
  .string()
  .min(1)
  .max(COLUMN_LENGTH_MAX)
  .meta({ description: "A column, or a path into a document with dots between its keys", examples: ["payer.country"] });
const values = z
  .record(z.string(), z.string())
  .refine((record) => Object.keys(record).length <= VALUES_MAX, `at most ${VALUES_MAX} values`)
  .meta({ description: "What a value of the column is called in the event; one that is not listed stays as it is" });

const text = z
  .union(
    [
      column,
      z.strictObject({ column, values: values.optional(), otherwise: z.string().optional() }),
      z.strictObject({ constant: z.string() }),
      z.strictObject({
        template: z
          .string()
          .min(1)
          .max(COLUMN_LENGTH_MAX)
          .regex(/^(?:[^{}]|\{[^{}]+\})*$/, "columns stand in braces: {id}-refund"),
      }),
    ],
    'a column\'s name, {"column", "values"?, "otherwise"?}, {"constant"} or {"template"}',
  )
  .meta({ id: "MappedText" });

const eventType = z.union(
  [
    column,
    z.strictObject({ column, values: values.optional(), otherwise: z.enum(["payment", "refund"]).optional() }),
    z.strictObject({ constant: z.enum(["payment", "refund"]) }),
    z.strictObject({ sign_of: column }),
  ],
  'a column\'s name, {"column", "values"?, "otherwise"?}, {"constant": "payment" or "refund"} or {"sign_of": column}',
);

const moment = z.union(
  [column, z.strictObject({ column, unit: z.enum(["s", "ms", "us", "ns"]) })],
  'a column\'s name (milliseconds, or RFC 3339), or {"column", "unit": "s", "ms", "us" or "ns"}',
);

const integer = z
  .union(
    [
      column,
      z.strictObject({
        column,
        decimals: z
          .union([z.int().min(0).max(6), z.literal("currency")])
          .optional()
          .meta({
            description:
              "Places of the decimal that make up its minor units; `currency`: as ISO 4217 has it for the event's",
          }),
        absolute: z.boolean().optional(),
        base64_scale: z.int().min(0).max(38).optional().meta({
          description: "The column comes as Kafka Connect's Decimal (decimal.handling.mode=precise) of this scale",
        }),
      }),
    ],
    'a column\'s name (minor units), or {"column", "decimals"?, "absolute"?, "base64_scale"?}',
  )
  .meta({ id: "MappedInteger" });

const fields = z.strictObject({
  event_id: text,
  merchant_id: text,
  type: eventType,
  occurred_at: moment,
  amount: integer,
  currency: text,
  payment_method: text,
  points_used: integer.optional(),
  points_earned: integer.optional(),
  refund_of: text.optional(),
  user: z
    .strictObject({
      id: text.optional(),
      grade: text.optional(),
      gender: text.optional(),
      country: text.optional(),
      device: text.optional(),
      age_band: text.optional(),
      date_of_birth: text.optional(),
    })
    .optional(),
  merchant: z
    .strictObject({ grade: text.optional(), location: text.optional(), business_type: text.optional() })
    .optional(),
  attributes: z.record(z.string(), text).optional(),
});

const rule = z
  .strictObject({
    when: z
      .record(column, z.array(z.string()).min(1).max(VALUES_MAX))
      .optional()
      .meta({ description: "The rule is for rows of which each of these columns has one of its values" }),
    fields,
  })
  .meta({ id: "MappingRule" });

const rules = z.union([rule, z.array(rule).min(1).max(RULES_PER_TABLE_MAX)]);

/** The definition of a mapping, as it is stored with its source and as an operator sends it. */
export const sourceMappingSchema = z
  .strictObject({
    tables: z
      .record(z.string().min(1).max(COLUMN_LENGTH_MAX), rules)
      .refine((tables) => Object.keys(tables).length <= TABLES_MAX, `at most ${TABLES_MAX} tables`)
      .meta({
        description:
          "By table (schema.table or database.table) or collection (database.collection); rows of others are ignored",
      }),
    rejected: z.enum(["refuse", "skip"]).default("refuse").meta({
      description:
        "A change that is no valid payment is refused with 422, so that the sink stops there, or skipped with 200 and a line in the log",
    }),
  })
  .refine(
    (mapping) => JSON.stringify(mapping).length <= MAPPING_LENGTH_MAX,
    `at most ${MAPPING_LENGTH_MAX} characters of JSON`,
  )
  .meta({ description: "How rows of change events become payments" });

export type SourceMapping = z.output<typeof sourceMappingSchema>;
export type SourceMappingInput = z.input<typeof sourceMappingSchema>;
export type MappingRule = z.output<typeof rule>;
export type TextField = z.output<typeof text>;
export type TypeField = z.output<typeof eventType>;
export type MomentField = z.output<typeof moment>;
export type IntegerField = z.output<typeof integer>;
