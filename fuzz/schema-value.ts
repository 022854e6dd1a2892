import { integerBetween, pick, type Random } from "../scripts/seeded-random.ts";
import type { JsonSchema } from "./described.ts";

/** As deep as values are made: no schema of ours goes deeper. */
const DEPTH_MAX = 8;
const ITEMS_MAX = 4;
const PROPERTY_CHANCE = 0.6;

/** A value that a JSON Schema of the document describes, mostly: patterns are met where an example is there, else by luck. */
export function describedValue(
  schema: JsonSchema,
  schemas: Readonly<Record<string, JsonSchema>>,
  random: Random,
  depth = 0,
): unknown {
  if (depth > DEPTH_MAX) return null;
  const { $ref, examples, enum: values, anyOf, oneOf, allOf, type } = schema as Record<string, unknown>;
  const inner = (one: unknown) => describedValue(one as JsonSchema, schemas, random, depth + 1);
  if (typeof $ref === "string") return inner(schemas[$ref.split("/").at(-1) ?? ""] ?? {});
  if ("const" in schema) return schema.const;
  if (isFilled(values)) return pick(random, values);
  if (isFilled(examples) && random() < 0.8) return pick(random, examples);
  const choices = anyOf ?? oneOf;
  if (isFilled(choices)) return inner(pick(random, choices));
  if (isFilled(allOf)) return Object.assign({}, ...allOf.map(inner));
  switch (Array.isArray(type) ? pick(random, type) : type) {
    case "object":
      return objectOf(schema, inner, random);
    case "array":
      return Array.from({ length: integerBetween(random, Number(schema.minItems ?? 0), ITEMS_MAX) }, () =>
        inner(schema.items ?? {}),
      );
    case "integer":
    case "number":
      return numberOf(schema, random);
    case "boolean":
      return random() < 0.5;
    case "null":
      return null;
    default:
      return textOf(schema, random);
  }
}

function objectOf(schema: JsonSchema, inner: (schema: unknown) => unknown, random: Random): Record<string, unknown> {
  const required = new Set(isFilled(schema.required) ? schema.required : []);
  const properties = Object.entries((schema.properties ?? {}) as Record<string, unknown>);
  const made = properties
    .filter(([name]) => required.has(name) || random() < PROPERTY_CHANCE)
    .map(([name, one]) => [name, inner(one)]);
  return Object.fromEntries(made);
}

function numberOf({ minimum, maximum }: JsonSchema, random: Random): number {
  const min = Number(minimum ?? 0);
  const max = Math.min(Number(maximum ?? 1_000), Number.MAX_SAFE_INTEGER);
  return pick(random, [min, max, integerBetween(random, min, Math.min(max, min + 1_000))]);
}

function textOf({ format, minLength, maxLength }: JsonSchema, random: Random): string {
  if (format === "date-time")
    return `20${integerBetween(random, 20, 40)}-0${integerBetween(random, 1, 9)}-11T10:20:00Z`;
  const length = integerBetween(random, Number(minLength ?? 0), Math.min(Number(maxLength ?? 20), 200));
  return "fuzz-abcdefghij".repeat(20).slice(0, length);
}

function isFilled(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}
