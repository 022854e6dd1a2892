import { z } from "zod";
import { answerSchema, statusSchema, timeSchema } from "../answer-schema.ts";
import { currencyReportsSchema } from "../report-schema.ts";

const clock = answerSchema.pick({ as_of: true, complete_through: true }).shape;

const windowSchema = z.strictObject({
  start: timeSchema,
  end: timeSchema,
  status: statusSchema,
  reports: currencyReportsSchema,
});

const todaySchema = z
  .strictObject({
    start: timeSchema.meta({ description: "When the day began, in the zone of the stream" }),
    reports: currencyReportsSchema,
  })
  .meta({ description: "The day so far, its open windows included" });

const snapshotSchema = z.strictObject({
  ...answerSchema.pick({ merchant_id: true, timezone: true }).shape,
  ...clock,
  windows: z.array(windowSchema).meta({ description: "Those that are open, the earliest first" }),
  today: todaySchema,
});

const told = <Name extends string, Data extends z.ZodType>(name: Name, data: Data) =>
  z.strictObject({
    event: z.literal(name),
    data,
    id: z
      .string()
      .optional()
      .meta({ description: "Of all that was told so far: of events that come together, the last has it" }),
  });

/** What `GET /v1/merchants/{id}/live` sends, event by event; `data` is JSON there. */
export const liveEventSchema = z
  .discriminatedUnion("event", [
    told("snapshot", snapshotSchema),
    told("window", z.strictObject({ ...clock, today: todaySchema, window: windowSchema })),
    told("today", z.strictObject({ ...clock, today: todaySchema })),
  ])
  .meta({ id: "LiveEvent", description: "One event of the stream; its `data` is JSON, in one line" });
