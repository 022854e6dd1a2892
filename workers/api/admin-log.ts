import { Hono } from "hono";
import { z } from "zod";
import type { Guarded } from "../access/guarded.ts";
import { type LogEntry, listLog } from "../directory/admin-log.ts";
import { problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import type { logEntrySchema, logSchema } from "./log-schema.ts";
import { PAGE_PARAMETERS, pageOf, parsePage } from "./page.ts";
import { readQuery } from "./parameters.ts";

/** Below `/v1/admin/log`: who did what, the newest first. */
export const adminLog = new Hono<Guarded<Env>>().get("/", async (c) => {
  const query = readQuery(c.req.queries(), PAGE_PARAMETERS);
  if (!query.ok) return problemResponse(query.error);
  const page = parsePage(query.value, z.int());
  if (!page.ok) return problemResponse(page.error);
  const found = await listLog(c.env.DIRECTORY, page.value.after, page.value.limit + 1);
  const { items, next_cursor } = pageOf(found, page.value, ({ id }) => id);
  return fresh({ entries: items.map(present), next_cursor } satisfies z.output<typeof logSchema>);
});

function present(entry: LogEntry): z.output<typeof logEntrySchema> {
  const { id, at, requestId, kind, subject, keyId, isSession, method, route, parameters, status, finishedAt } = entry;
  return {
    id,
    at: new Date(at).toISOString(),
    request_id: requestId,
    who: kind === null ? null : { kind, subject: subject ?? "", key_id: keyId, session: isSession },
    method,
    route,
    parameters: z.record(z.string(), z.unknown()).parse(parameters),
    status,
    finished_at: finishedAt === null ? null : new Date(finishedAt).toISOString(),
  };
}
