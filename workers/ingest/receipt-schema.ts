import { z } from "zod";

const count = z.int().min(0);

export const eventErrorSchema = z.strictObject({
  index: count.meta({ description: "Of the event in the request, from 0." }),
  event_id: z.string().optional(),
  code: z.string().meta({
    description: "`conflict` is said of a duplicate, the others of rejected events.",
    examples: ["invalid_value"],
  }),
  path: z
    .string()
    .optional()
    .meta({ description: "The field at fault.", examples: ["user.country"] }),
  message: z.string().optional().meta({ description: "What would be right." }),
});

export const eventNoteSchema = z.strictObject({
  index: count.meta({ description: "Of the change in the request, from 0." }),
  code: z.enum(["delete", "tombstone", "not_a_row", "unmapped_table", "not_a_payment"]),
  message: z.string(),
});

const receiptShape = {
  accepted: count.meta({ description: "Counted now." }),
  duplicates: count.meta({ description: "Counted before, by their ids." }),
  late: count.meta({ description: "Past the lateness horizon: archived, counted when their windows are rebuilt." }),
  rejected: count,
  errors: z.array(eventErrorSchema),
};

/** The answer to `POST /v1/events`. The numbers add up to the events of the request; a conflict is among the duplicates. */
export const receiptSchema = z
  .strictObject({
    ...receiptShape,
    queued: count.optional().meta({
      description: "Safe in the log, to be counted from there: which of the others they are is not known yet.",
    }),
    ignored: count.optional().meta({
      description: "Changes of a database that are no payments, such as deletes: nothing is wrong with them.",
    }),
    notes: z.array(eventNoteSchema).optional().meta({ description: "Why each of those was ignored." }),
  })
  .meta({
    id: "Receipt",
    examples: [{ accepted: 2, duplicates: 1, late: 0, rejected: 0, errors: [] }],
  });

export const idsSchema = z.strictObject({ ids: z.array(z.string()) }).meta({
  examples: [{ ids: ["mS1rPzB0T6yq0v1wqg3x5A"] }],
});
