import { z } from "zod";

/** The OpenAPI document as the fuzzer goes by it: each route and what it takes. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Described {
  readonly operations: readonly DescribedOperation[];
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export interface DescribedOperation {
  readonly method: string;
  /** Such as `/v1/merchants/{merchant}/report`. */
  readonly path: string;
  readonly worker: "ingest" | "api";
  readonly query: readonly Parameter[];
  /** By media type. */
  readonly bodies: readonly DescribedBody[];
}

export interface Parameter {
  readonly name: string;
  readonly schema: JsonSchema;
}

export interface DescribedBody {
  readonly type: string;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

const schemaSchema = z.record(z.string(), z.unknown());
const operationSchema = z.looseObject({
  tags: z.array(z.string()).default([]),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), schema: schemaSchema })).default([]),
  requestBody: z
    .looseObject({
      content: z.record(z.string(), z.looseObject({ schema: schemaSchema, example: z.unknown().optional() })),
    })
    .optional(),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), schemaSchema) }),
});

/** Throws when it is no document of ours. */
export function readDescription(document: unknown): Described {
  const { paths, components } = documentSchema.parse(document);
  const operations: DescribedOperation[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { tags, parameters, requestBody }] of Object.entries(methods)) {
      operations.push({
        method: method.toUpperCase(),
        path,
        worker: tags.includes("Collect") ? "ingest" : "api",
        query: parameters.filter((parameter) => parameter.in === "query"),
        bodies: Object.entries(requestBody?.content ?? {}).map(([type, { schema, example }]) => ({
          type,
          schema,
          example,
        })),
      });
    }
  }
  return { operations, schemas: components.schemas };
}
