import { z } from "zod";
import { nextCursorSchema } from "./page.ts";

export const logEntrySchema = z
  .object({
    id: z.int(),
    at: z.string(),
    request_id: z.string().meta({ description: "X-Request-Id of the answer." }),
    who: z
      .object({
        kind: z.enum(["source", "merchant", "operator"]),
        subject: z.string(),
        key_id: z.string().nullable(),
        session: z.boolean(),
      })
      .nullable()
      .meta({ description: "null for a call without a valid key, which was refused." }),
    method: z.string(),
    route: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    status: z.int().nullable().meta({ description: "null while it runs, or when it is not known how it ended." }),
    finished_at: z.string().nullable(),
  })
  .meta({ id: "LogEntry" });

/** Parameters of the list, beside those of its pages. */
export const logFilters = {
  methods: z
    .string()
    .optional()
    .meta({ description: "Methods, with commas between", examples: ["POST,PUT,PATCH,DELETE"] }),
  by: z.string().optional().meta({ description: "Whose calls: a source's or a merchant's id, or an operator's name" }),
  key: z.string().optional().meta({ description: "Calls by one key, by its id, its sessions' among them" }),
};

export const logSchema = z.object({ entries: z.array(logEntrySchema), next_cursor: nextCursorSchema });
