import { z } from "zod";
import { paymentEventSchema } from "../../shared/event.ts";
import { IDS_PER_REQUEST_MAX } from "../ingest/limits.ts";
import { idsSchema, receiptSchema } from "../ingest/receipt-schema.ts";
import type { OperationTable } from "./operation.ts";
import { BODY_PROBLEMS } from "./problems.ts";

const EVENT_EXAMPLE = {
  event_id: "pay_01JF8Z2Q",
  type: "payment",
  merchant_id: "cafe-hoshino",
  occurred_at: "2026-11-24T10:15:30+09:00",
  amount: 550,
  currency: "JPY",
  payment_method: "card",
  user: { id: "u-1048", gender: "female", age_band: "25-34" },
};

const CLOUD_EVENT_EXAMPLE = {
  specversion: "1.0",
  id: EVENT_EXAMPLE.event_id,
  source: "/app",
  type: "payment",
  time: EVENT_EXAMPLE.occurred_at,
  data: { merchant_id: "cafe-hoshino", amount: 550, currency: "JPY", payment_method: "card" },
};

/** What a reader of the description must know; `readCloudEvent` judges. */
const cloudEventSchema = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    time: z.string().optional(),
    data: z.unknown().optional(),
    data_base64: z.string().optional(),
  })
  .meta({ id: "CloudEvent", description: "CloudEvents 1.0; its data is a payment, or a change of a database" });
const eventSchema = paymentEventSchema.meta({
  id: "PaymentEvent",
  description: "What it has beyond these fields is dropped",
});

const receipt = { "application/json": { schema: receiptSchema } };

export const COLLECT_OPERATIONS: OperationTable = {
  "POST /v1/events": {
    tag: "Collect",
    id: "postEvents",
    summary: "Post payment events",
    description:
      "One event, an array of them, NDJSON, or CloudEvents 1.0 (structured, batched or binary). Each event is judged by itself: one that is wrong spoils none of the others. An event is known by `merchant_id` and `event_id`; the first counts, so sending all of it again is always safe. A source with a mapping may also post change events of a database as Debezium has them. Bodies may be gzip.",
    headers: z.object({
      Prefer: z
        .string()
        .optional()
        .meta({
          description: "`respond-async`: answer once the log has the events, without counting them first.",
          examples: ["respond-async"],
        }),
      "Content-Encoding": z.enum(["gzip", "identity"]).optional(),
      "ce-specversion": z.literal("1.0").optional().meta({
        description:
          "With `ce-id`, `ce-source`, `ce-type` and perhaps `ce-time`: a CloudEvent in binary mode, the body its data. Values are percent-encoded.",
      }),
    }),
    body: {
      isRequired: true,
      content: {
        "application/json": {
          schema: z.union([eventSchema, z.array(eventSchema)]),
          example: [EVENT_EXAMPLE],
        },
        "application/x-ndjson": { example: `${JSON.stringify(EVENT_EXAMPLE)}\n` },
        "application/cloudevents+json": { schema: cloudEventSchema, example: CLOUD_EVENT_EXAMPLE },
        "application/cloudevents-batch+json": { schema: z.array(cloudEventSchema), example: [CLOUD_EVENT_EXAMPLE] },
      },
    },
    answers: {
      200: { description: "What became of each event.", content: receipt },
      202: {
        description: "All is safe in the log; what is `queued` is counted from there within seconds.",
        content: receipt,
        headers: ["Preference-Applied"],
      },
    },
    problems: [
      "malformed_json",
      "malformed_gzip",
      "malformed_text",
      "not_a_batch",
      "not_an_event",
      "merchant_not_allowed",
      ...BODY_PROBLEMS,
      "too_many_events",
      "unsupported_encoding",
      "unsupported_type",
      "all_rejected",
      "log_unavailable",
      "overloaded",
    ],
  },
  "POST /v1/ids": {
    tag: "Collect",
    id: "makeIds",
    summary: "Get random event ids",
    description: "For callers that have no id of their own. An id must be kept with the payment before it is sent.",
    query: z.object({
      count: z.int().min(1).max(IDS_PER_REQUEST_MAX).default(1),
    }),
    answers: { 200: { description: "Random ids, base64url.", content: { "application/json": { schema: idsSchema } } } },
    problems: ["invalid_parameter"],
  },
};
