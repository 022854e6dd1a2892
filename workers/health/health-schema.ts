import { z } from "zod";
import { REASON_CODES } from "./reason.ts";

/** The answer of `GET /v1/admin/health`. */

const count = z.int().min(0);
const time = z.string().meta({ description: "RFC 3339, UTC", examples: ["2026-11-23T01:02:03.000Z"] });
const seconds = z.number().min(0);
const rate = z.number().min(0);

const partVerdict = z.enum(["ok", "degraded", "down", "unknown"]).meta({
  description: "`unknown`: whoever would know did not answer, and `reason` says who.",
});

const partBecause = z
  .strictObject({ code: z.enum(REASON_CODES), values: z.record(z.string(), z.union([z.number(), z.string()])) })
  .meta({
    id: "HealthReason",
    description:
      "`reason` as data, to be told in other words: its code, and what it is filled in with. Names in `_s` are seconds; `failure` is what somebody else said.",
  });

function part<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  const reason = z.string().nullable().meta({ description: "Why it is not `ok`; null while it is." });
  return z
    .strictObject({ verdict: partVerdict, reason, because: partBecause.nullable(), ...shape })
    .meta({ description });
}

const queueShape = {
  worst_age_s: seconds.nullable().meta({
    description: "Age of the oldest message delivered in the last minutes; null where none was.",
  }),
  waiting_messages: count.nullable().meta({ description: "As the platform tells, roughly; null where it does not." }),
  waiting_bytes: count.nullable(),
  oldest_waiting_at: time.nullable(),
  delivered: count.nullable().meta({ description: "Messages that consumers were done with in the last minutes." }),
  retried: count.nullable().meta({ description: "Deliveries that failed in the last minutes, and come again." }),
};

const eventsByKind = z.strictObject({
  accepted: count,
  duplicates: count,
  late: count,
  queued: count,
  rejected: count,
  ignored: count,
});

export const healthSchema = z
  .strictObject({
    as_of: time,
    over_s: seconds.meta({ description: "How far back rates, and whatever is said of the last minutes, look." }),
    verdict: z.enum(["ok", "degraded", "down"]).meta({
      description: "`down`: payments or reads of today fail. `degraded`: some part is not `ok`.",
    }),
    parts: z.strictObject({
      ingest: part("What is posted, as receipts have it; numbers are of the last minutes.", {
        requests_per_second: rate.nullable(),
        events_per_second: rate.nullable(),
        events: eventsByKind.nullable(),
        rejected_by_code: z.record(z.string(), count).nullable(),
        refused_requests: count.nullable().meta({ description: "With 503, because the log did not take the events." }),
        overloaded_requests: count.nullable().meta({ description: "With 503, because isolates had enough to do." }),
      }),
      log: part("The RAW queue: events on their way to archive and shards.", queueShape),
      windows_queue: part("The WINDOWS queue: windows on their way to ClickHouse.", queueShape),
      shards: part("The objects that count.", {
        shards: count.nullable().meta({ description: "That the topology has for windows not yet final." }),
        asked: count.meta({ description: "Of them; of many, some each time." }),
        reachable: count,
        calls_per_second: rate.nullable(),
        failed_calls: count.nullable().meta({ description: "In the last minutes." }),
        windows: count.nullable().meta({ description: "Ten-minute windows that those asked have, together." }),
        bytes_max: count.nullable().meta({ description: "What the fullest has in memory." }),
        damaged_windows: count.nullable(),
        unconfirmed_emissions: count.nullable().meta({ description: "Sent to history, not known to be there." }),
        oldest_unconfirmed_at: time.nullable(),
      }),
      history: part("ClickHouse, and how far it has what is counted.", {
        answered_in_s: seconds.nullable(),
        newest_window: time.nullable().meta({ description: "The latest window that history has; null for none." }),
        complete_through: time.nullable().meta({ description: "Windows that end by then stand in history." }),
        freshness_s: seconds.nullable().meta({
          description: "How long ago that is: up to some 12 minutes as windows close; null if it cannot be told.",
        }),
        oldest_unfinished_window: time.nullable().meta({
          description: "The first closed window with a change that history is not known to have.",
        }),
      }),
      directory: part("D1: keys, topology, what waits.", { answered_in_s: seconds.nullable() }),
      dead_letters: part("Messages their consumers gave up on.", {
        waiting: z.strictObject({ raw: count, windows: count }).nullable(),
        oldest_at: time.nullable(),
      }),
      audit: part("Archive, shards and history compared; findings of the last seven days.", {
        final_through: time,
        audited_through: time.nullable(),
        windows: z
          .strictObject({ equal: count, changed: count, missing: count, short: count, unarchived: count })
          .nullable()
          .meta({ description: "`changed` and `missing` were put right; `short` and `unarchived` want a person." }),
        doubts: count.nullable().meta({ description: "Parts that plain SQL adds up to something else." }),
      }),
      replays: part("Windows counted anew.", {
        running: count.nullable(),
        failing: count.nullable(),
        failure: z.string().nullable(),
      }),
      late_windows: part("Windows with late events, waiting to be counted anew.", {
        waiting: count.nullable(),
        failing: count.nullable(),
        failure: z.string().nullable(),
        earliest: time.nullable(),
        waiting_since: time.nullable(),
      }),
      archive: part("Hours waiting to be compacted.", {
        hours_waiting: count.nullable(),
        earliest_waiting: time.nullable(),
        hours_failing: count.nullable(),
        failure: z.string().nullable(),
      }),
      meters: part("What adds up the counts of all isolates.", {
        meters: count,
        reachable: count,
        counting_since: time.nullable(),
      }),
    }),
  })
  .meta({ id: "Health" });

export type Health = z.output<typeof healthSchema>;
export type HealthParts = Health["parts"];
export type PartVerdict = z.output<typeof partVerdict>;
