import { z } from "zod";
import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import { PATH_ID_PATTERN, PATH_ID_RULE } from "../../shared/path-id.ts";
import { sourceMappingSchema } from "../../shared/source-mapping.ts";
import { nextCursorSchema } from "./page.ts";

/** Merchants a source may be limited to: they go to every isolate that sees its key. */
export const SOURCE_MERCHANTS_MAX = 1_000;

const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .meta({ examples: ["Payment app, Tokyo"] });
const merchantsSchema = z
  .array(z.string().regex(MERCHANT_ID_PATTERN))
  .min(1)
  .max(SOURCE_MERCHANTS_MAX)
  .nullable()
  .meta({ description: "The merchants it may send for; null for all of them." });

const mappingSchema = sourceMappingSchema.nullable().meta({
  description:
    "How rows of its database become payments, for a source that posts change events; null for one that posts payments.",
});

/** The body of `POST /v1/admin/sources`. */
export const newSourceSchema = z.strictObject({
  id: z.string().regex(PATH_ID_PATTERN, PATH_ID_RULE),
  name: nameSchema,
  merchants: merchantsSchema.default(null),
  mapping: mappingSchema.default(null),
});

/** The body of `PATCH /v1/admin/sources/:source`: what is left out stays. */
export const sourceChangeSchema = z.strictObject({
  name: nameSchema.optional(),
  merchants: merchantsSchema.optional(),
  mapping: mappingSchema.optional(),
});

export const sourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    merchants: merchantsSchema,
    mapping: mappingSchema,
    created_at: z.string(),
  })
  .meta({
    id: "Source",
    examples: [
      { id: "app-tokyo", name: "Payment app", merchants: null, mapping: null, created_at: "2026-11-23T01:02:03.000Z" },
    ],
  });

export const sourcesSchema = z.object({ sources: z.array(sourceSchema), next_cursor: nextCursorSchema });
