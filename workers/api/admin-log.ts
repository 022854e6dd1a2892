import { Hono } from "hono";
import { z } from "zod";
import { err, ok } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import { type LogEntry, listLog } from "../directory/admin-log.ts";
import { invalidParameter, problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import type { logEntrySchema, logSchema } from "./log-schema.ts";
import { readPage } from "./page.ts";

const FILTERS = ["methods", "by", "key"] as const;
/** Those that calls of the log can have. */
export const LOGGED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
const methodsSchema = z.array(z.enum(LOGGED_METHODS)).min(1);

/** Below `/v1/admin/log`: who did what, the newest first. */
export const adminLog = new Hono<Guarded<Env>>().get("/", async (c) => {
  const page = await readPage(c.req.queries(), {
    filters: FILTERS,
    position: z.int(),
    positionOf: ({ id }: LogEntry) => id,
    read: async ({ after, limit }, { methods, by: subject, key: keyId }) => {
      const parsed = methodsSchema.optional().safeParse(methods?.toUpperCase().split(","));
      if (!parsed.success) return err(invalidMethods);
      return ok(await listLog(c.env.DIRECTORY, after, limit, { methods: parsed.data, subject, keyId }));
    },
  });
  if (!page.ok) return problemResponse(page.error);
  const { items, next_cursor } = page.value;
  return fresh({ entries: items.map(present), next_cursor } satisfies z.output<typeof logSchema>);
});

const invalidMethods = invalidParameter(
  "methods",
  "invalid_parameter",
  `Some of ${LOGGED_METHODS.join(", ")}, with commas between: methods=POST,DELETE.`,
);

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
