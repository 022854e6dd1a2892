import { z } from "zod";
import { exact } from "../api/present.ts";
import {
  baselineFactsSchema,
  type Facts,
  FIRING_REASONS,
  noSalesFactsSchema,
  pipelineFactsSchema,
  QUIET_REASONS,
} from "./check.ts";
import type { RuleKind } from "./rule.ts";

/** What is posted to a webhook. */

export const NOTICE_TYPES = ["alert.fired", "alert.reminder", "alert.resolved", "alert.test"] as const;
export type NoticeType = (typeof NOTICE_TYPES)[number];

/** What ended a firing without a look: its owner did. */
export const OWNER_REASONS = ["changed", "disabled"] as const;

const time = z.string().meta({ description: "RFC 3339, UTC", examples: ["2026-11-23T01:42:00.000Z"] });

/** As it is shown, amounts as the numbers they are. */
export const shownFactsSchema = z
  .union([noSalesFactsSchema, baselineFactsSchema.extend({ value: z.number(), base: z.number() }), pipelineFactsSchema])
  .meta({ id: "AlertFacts" });

export const noticeSchema = z
  .object({
    type: z.enum(NOTICE_TYPES),
    timestamp: time.meta({ description: "When what is told of happened." }),
    data: z.object({
      alert: z.object({ id: z.string(), name: z.string(), kind: z.string() }),
      merchant_id: z.string().nullable().meta({ description: "null for the pipeline's state." }),
      incident: z.string().nullable().meta({ description: "The same in all notices of one firing." }),
      fired_at: time.nullable(),
      resolved_at: time.nullable(),
      reason: z
        .enum([...FIRING_REASONS, ...QUIET_REASONS, ...OWNER_REASONS])
        .nullable()
        .meta({ description: "Why it fires; of `alert.resolved`, what ended it." }),
      facts: shownFactsSchema.nullable(),
    }),
  })
  .meta({ id: "AlertNotice" });

export interface NoticeOf {
  readonly alert: { readonly id: string; readonly name: string; readonly merchantId: string | null };
  readonly kind: RuleKind;
  readonly firedMs: number | null;
  readonly reason: z.output<typeof noticeSchema>["data"]["reason"];
  readonly facts: Facts | null;
}

export interface Notice {
  /** The `webhook-id`. */
  readonly id: string;
  readonly alertId: string;
  readonly type: NoticeType;
  readonly body: string;
}

/**
 * A notice and its name, which is made of what it tells alone: the alert, when it fired, and for reminders their moment. Whoever writes it a second time writes
 * the same, and receivers know it by it.
 */
export function noticeOf(
  type: Exclude<NoticeType, "alert.test">,
  of: NoticeOf & { readonly firedMs: number },
  atMs: number,
): Notice {
  const incident = incidentOf(of.alert.id, of.firedMs);
  const part = { "alert.fired": "fired", "alert.resolved": "resolved", "alert.reminder": `still-${atMs.toString(36)}` }[
    type
  ];
  return { id: `msg_${incident}-${part}`, alertId: of.alert.id, type, body: bodyOf(type, of, incident, atMs) };
}

/** Tried once, for whoever sets up a receiver; it looks like the others and says what it is. */
export function testNotice(of: NoticeOf, random: string, atMs: number): Notice {
  return {
    id: `msg_test-${random}`,
    alertId: of.alert.id,
    type: "alert.test",
    body: bodyOf("alert.test", of, null, atMs),
  };
}

const incidentOf = (alertId: string, firedMs: number) => `${alertId}-${firedMs.toString(36)}`;

function bodyOf(
  type: NoticeType,
  { alert, kind, firedMs, reason, facts }: NoticeOf,
  incident: string | null,
  atMs: number,
) {
  return JSON.stringify({
    type,
    timestamp: new Date(atMs).toISOString(),
    data: {
      alert: { id: alert.id, name: alert.name, kind },
      merchant_id: alert.merchantId,
      incident,
      fired_at: firedMs === null ? null : new Date(firedMs).toISOString(),
      resolved_at: type === "alert.resolved" ? new Date(atMs).toISOString() : null,
      reason,
      facts: facts === null ? null : presentFacts(facts),
    },
  });
}

export function presentFacts(facts: Facts): z.output<typeof shownFactsSchema> {
  if (facts.kind !== "below_baseline") return facts;
  const shown = (digits: string) => exact(BigInt(digits)) as number;
  return { ...facts, value: shown(facts.value), base: shown(facts.base) };
}
