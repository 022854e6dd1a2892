import { z } from "zod";
import { answerSchema, countSchema, currencySchema, moneySchema, timeSchema } from "../answer-schema.ts";
import { nextCursorSchema } from "../page.ts";

const text = z.string().optional();

export const eventSchema = z
  .strictObject({
    event_id: z.string(),
    type: z.enum(["payment", "refund"]),
    occurred_at: timeSchema,
    received_at: timeSchema.meta({ description: "When Tally took it" }),
    amount: moneySchema,
    currency: currencySchema,
    payment_method: z.string(),
    points_used: countSchema,
    points_earned: countSchema,
    refund_of: text.meta({ description: "The event_id of the payment" }),
    user: z
      .strictObject({
        id_hash: text.meta({
          description: "Keyed hash of the customer's id: the same for the same customer, and no way back",
          examples: ["00112233445566ff"],
        }),
        grade: text,
        gender: text,
        country: text,
        device: text,
        age_band: text,
      })
      .optional(),
    merchant: z.strictObject({ grade: text, location: text, business_type: text }).optional(),
    attributes: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: "ListedEvent", description: "As it was sent, without what is personal" });

/** The answer to `GET /v1/merchants/{id}/events`. */
export const eventsAnswerSchema = answerSchema
  .extend({
    complete_through: timeSchema.meta({ description: "What was received by then is listed; the rest is on its way" }),
    from: timeSchema,
    to: timeSchema,
    order: z.enum(["oldest", "newest"]),
    events: z.array(eventSchema),
    next_cursor: nextCursorSchema.meta({
      description:
        "Give it as `cursor`, with the same parameters, to get the next page, which a page that is not full has too",
    }),
    next_after_s: z.int().min(0).meta({
      description: "Seconds to wait before the next page is asked for: not 0 where there was no time to find anything",
    }),
  })
  .meta({ id: "Events", description: "Payments and refunds, each once, as the numbers count them" });
