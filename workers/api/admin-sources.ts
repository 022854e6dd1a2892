import { Hono } from "hono";
import { z } from "zod";
import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import { sourceMappingSchema } from "../../shared/source-mapping.ts";
import type { Guarded } from "../access/guarded.ts";
import {
  changeSource,
  createSource,
  listSources,
  readSource,
  SOURCE_MERCHANTS_MAX,
  type Source,
} from "../directory/sources.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import { nextCursorSchema, PAGE_PARAMETERS, pageOf, parsePage } from "./page.ts";
import { readQuery } from "./parameters.ts";

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
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 of A-Z a-z 0-9 . _ -"),
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

/** Below `/v1/admin/sources`: who may send events. */
export const adminSources = new Hono<Guarded<Env>>()
  .get("/", async (c) => {
    const query = readQuery(c.req.queries(), PAGE_PARAMETERS);
    if (!query.ok) return problemResponse(query.error);
    const page = parsePage(query.value, z.string());
    if (!page.ok) return problemResponse(page.error);
    const found = await listSources(c.env.DIRECTORY, page.value.after, page.value.limit + 1);
    const { items, next_cursor } = pageOf(found, page.value, ({ id }) => id);
    return fresh({ sources: items.map(present), next_cursor } satisfies z.output<typeof sourcesSchema>);
  })
  .post("/", async (c) => {
    const body = await readJson(c, newSourceSchema);
    if (!body.ok) return problemResponse(body.error);
    const created = await createSource(c.env.DIRECTORY, { ...body.value, createdAt: Date.now() });
    return created === undefined ? problemResponse(taken(body.value.id)) : fresh(present(created), 201);
  })
  .get("/:source", async (c) => {
    const source = await readSource(c.env.DIRECTORY, c.req.param("source"));
    return source === undefined ? problemResponse(noSuchSource) : fresh(present(source));
  })
  .patch("/:source", async (c) => {
    const body = await readJson(c, sourceChangeSchema);
    if (!body.ok) return problemResponse(body.error);
    const { name, merchants, mapping } = body.value;
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(merchants === undefined ? {} : { merchants }),
      ...(mapping === undefined ? {} : { mapping }),
    };
    const changed = await changeSource(c.env.DIRECTORY, c.req.param("source"), change);
    return changed === undefined ? problemResponse(noSuchSource) : fresh(present(changed));
  });

function present({ id, name, merchants, mapping, createdAt }: Source): z.output<typeof sourceSchema> {
  return { id, name, merchants, mapping, created_at: new Date(createdAt).toISOString() };
}

function taken(id: string): Problem {
  return {
    status: 409,
    code: "source_exists",
    title: "There is a source of that id",
    detail: `Change it with PATCH /v1/admin/sources/${id}.`,
    extensions: { parameter: "id" },
  };
}

const noSuchSource: Problem = {
  status: 404,
  code: "no_such_source",
  title: "There is no such source",
  detail: "GET /v1/admin/sources lists them.",
};
