import { z } from "zod";
import { nextCursorSchema } from "./page.ts";

/** Answers to operators: replays, audit, dead letters, topology. */

const time = z.string().meta({ description: "RFC 3339, UTC", examples: ["2026-11-23T01:02:03.000Z"] });
const count = z.int().min(0);

const verdicts = z
  .strictObject({ equal: count, changed: count, missing: count, short: count, unarchived: count })
  .meta({
    description:
      "Windows as the archive has them beside history: `missing` there, `changed`, or with fewer events in the archive (`short`), or none (`unarchived`).",
  });

const damagedObjects = z
  .array(z.looseObject({ key: z.string(), reason: z.string() }))
  .meta({ description: "Objects of the archive that could not be read whole" });

const side = z.strictObject({
  events: count,
  payments_amount: z.string().meta({ description: "Minor units, in decimal digits" }),
});

const differenceShape = {
  window: time,
  merchant: z.string(),
  currency: z.string(),
  verdict: z.string(),
  archived: side,
  stored: side,
};

const replayShape = {
  id: z.string(),
  asked_by: z.enum(["operator", "audit"]),
  from: time,
  to: time,
  merchant: z.string().optional(),
  dry_run: z.boolean(),
  state: z.enum(["running", "done", "cancelled"]),
  progress: z.number().min(0).max(1),
  failure: z.string().optional().meta({ description: "Why the last pass failed; it is tried again" }),
  created_at: time,
  updated_at: time,
};

export const listedReplaySchema = z.strictObject(replayShape).meta({ id: "ListedReplay" });
export const replaysSchema = z.strictObject({ replays: z.array(listedReplaySchema), next_cursor: nextCursorSchema });
export const begunReplaySchema = z.strictObject({ ...replayShape, windows: verdicts, events: count });
export const replaySchema = begunReplaySchema
  .extend({ damaged_objects: damagedObjects, differences: z.array(z.strictObject(differenceShape)) })
  .meta({ id: "Replay" });

export const auditSchema = z
  .strictObject({
    from: time,
    to: time,
    final_through: time,
    audited_through: time.nullable(),
    archive: z.strictObject({
      hours_waiting: count,
      earliest_waiting: time.nullable(),
      hours_failing: count,
      failure: z.string().nullable(),
    }),
    windows: verdicts,
    events: count,
    parts: z.array(
      z.strictObject({
        from: time,
        to: time,
        events: count,
        windows: verdicts,
        damaged_objects: damagedObjects,
        doubts: z
          .array(z.unknown())
          .nullable()
          .meta({ description: "Where the archive, added up by plain SQL, comes to something else" }),
        found_at: time,
      }),
    ),
    differences: z.array(z.strictObject({ ...differenceShape, done: z.string() })),
  })
  .meta({ id: "Audit" });

export const deadLettersSchema = z.strictObject({
  dead_letters: z.array(
    z.strictObject({
      id: z.string(),
      queue: z.string(),
      reason: z.string(),
      attempts: count,
      body_key: z.string(),
      body_bytes: count,
      sent_at: time,
      dead_at: time,
      age_s: count,
    }),
  ),
  next_cursor: nextCursorSchema,
});

export const redrivenSchema = z.strictObject({
  redriven: z.array(z.string()),
  failed: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  more: z.boolean().meta({ description: "Whether there are more than one call puts back" }),
});

export const discardedSchema = z.strictObject({
  discarded: z.array(z.string()),
  failed: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
});

export const epochSchema = z
  .strictObject({
    id: z.int(),
    from: time,
    shards: count,
    overrides: z.record(z.string(), z.int()),
  })
  .meta({ id: "TopologyEpoch" });

export const epochsSchema = z.strictObject({ epochs: z.array(epochSchema), next_cursor: nextCursorSchema });
