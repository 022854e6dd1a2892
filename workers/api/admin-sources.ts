import { Hono } from "hono";
import { z } from "zod";
import { ok } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import { changeSource, createSource, listSources, readSource, type Source } from "../directory/sources.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import { readPage } from "./page.ts";
import { newSourceSchema, sourceChangeSchema, type sourceSchema, type sourcesSchema } from "./source-schema.ts";

/** Below `/v1/admin/sources`: who may send events. */
export const adminSources = new Hono<Guarded<Env>>()
  .get("/", async (c) => {
    const page = await readPage(c.req.queries(), {
      position: z.string(),
      positionOf: ({ id }: Source) => id,
      read: async ({ after, limit }) => ok(await listSources(c.env.DIRECTORY, after, limit)),
    });
    if (!page.ok) return problemResponse(page.error);
    const { items, next_cursor } = page.value;
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
