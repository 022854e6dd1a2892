import { z } from "zod";
import { checkSchema, FIRING_REASONS, QUIET_REASONS, UNKNOWN_REASONS } from "../alerts/check.ts";
import { NOTICE_TYPES, shownFactsSchema } from "../alerts/notice.ts";
import { ALERTS_MAX, merchantRuleSchema, operatorRuleSchema } from "../alerts/rule.ts";
import { WEBHOOK_URL_CHARACTERS_MAX } from "../alerts/webhook-url.ts";

export const REMIND_MINUTES_MIN = 15;
const REMIND_MINUTES_MAX = 7 * 1_440;
/** Notices of an alert that are shown with it. */
export const DELIVERIES_SHOWN_MAX = 20;

const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .meta({ description: "What you call it.", examples: ["No sales"] });
const webhookSchema = z.strictObject({
  url: z
    .string()
    .max(WEBHOOK_URL_CHARACTERS_MAX)
    .meta({
      description: "Where notices are posted: HTTPS, to a public host.",
      examples: ["https://example.com/tally"],
    }),
});
const remindSchema = z
  .int()
  .min(REMIND_MINUTES_MIN)
  .max(REMIND_MINUTES_MAX)
  .nullable()
  .meta({ description: "While it fires it is told again so often; null for once." });

function newSchemaOf<Rule extends z.ZodType>(rule: Rule) {
  return z.strictObject({
    name: nameSchema,
    rule,
    webhook: webhookSchema,
    remind_every_minutes: remindSchema.default(null),
    enabled: z.boolean().default(true),
  });
}

function changeSchemaOf<Rule extends z.ZodType>(rule: Rule) {
  return z.strictObject({
    name: nameSchema.optional(),
    rule: rule.optional(),
    webhook: webhookSchema.optional(),
    remind_every_minutes: remindSchema.optional(),
    enabled: z.boolean().optional(),
  });
}

/** The bodies of `POST` and `PATCH`, for merchants' alerts and for operators'. */
export const MERCHANT_ALERT_BODIES = {
  create: newSchemaOf(merchantRuleSchema),
  change: changeSchemaOf(merchantRuleSchema),
};
export const OPERATOR_ALERT_BODIES = {
  create: newSchemaOf(operatorRuleSchema),
  change: changeSchemaOf(operatorRuleSchema),
};

const time = z.string().meta({ description: "RFC 3339, UTC", examples: ["2026-11-23T01:02:03.000Z"] });

const shownCheckSchema = z.object({
  at: time,
  outcome: z.enum(checkSchema.options.map(({ shape }) => shape.outcome.value)),
  reason: z.enum([...FIRING_REASONS, ...QUIET_REASONS, ...UNKNOWN_REASONS]),
  facts: shownFactsSchema.nullable(),
});

export const deliverySchema = z
  .object({
    id: z.string().meta({ description: "The `webhook-id`." }),
    type: z.enum(NOTICE_TYPES),
    state: z.enum(["pending", "delivered", "failed"]),
    attempts: z.int(),
    created_at: time,
    next_attempt_at: time.nullable(),
    delivered_at: time.nullable(),
    status: z.int().nullable().meta({ description: "Of the last answer; null where there was none." }),
    failure: z.string().nullable().meta({ description: "Of the last attempt." }),
  })
  .meta({ id: "AlertDelivery" });

export const alertSchema = z
  .object({
    id: z.string(),
    merchant_id: z.string().nullable(),
    name: z.string(),
    rule: z.union([merchantRuleSchema, operatorRuleSchema]),
    webhook: z.object({
      url: z.string(),
      previous_secret_until: time.nullable().meta({ description: "After a rotation: until when it signs, too." }),
    }),
    remind_every_minutes: z.int().nullable(),
    enabled: z.boolean(),
    disabled_reason: z.string().nullable().meta({ description: "Why Tally disabled it; null if it did not." }),
    state: z.enum(["quiet", "firing"]),
    firing_since: time.nullable(),
    checked: shownCheckSchema.nullable().meta({ description: "What the last look found; null before the first." }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: "Alert" });

const secretSchema = z
  .string()
  .meta({ description: "What receivers verify signatures with. It is shown this once.", examples: ["whsec_…"] });

export const createdAlertSchema = alertSchema.extend({ secret: secretSchema });
export const alertWithDeliveriesSchema = alertSchema.extend({
  deliveries: z.array(deliverySchema).meta({ description: `The newest ${DELIVERIES_SHOWN_MAX} notices.` }),
});
export const alertsSchema = z.object({
  alerts: z.array(alertSchema),
  limit: z.int().meta({ description: "So many there can be.", examples: [ALERTS_MAX] }),
});
