import type { Health } from "./health-schema.ts";
import type { Family, Labels, Sample } from "./open-metrics.ts";

const VERDICTS = ["ok", "degraded", "down"] as const;
const PART_VERDICTS = [...VERDICTS, "unknown"] as const;

type Value = number | null;

/** What health tells, as gauges; what nobody could tell is left out. */
export function gaugeFamilies(health: Health): Family[] {
  const { parts } = health;
  const { shards, history, dead_letters, audit, replays, late_windows, archive } = parts;
  const nowMs = Date.parse(health.as_of);
  const age = (moment: string | null) => (moment === null ? null : Math.max(0, (nowMs - Date.parse(moment)) / 1000));
  const queues = { "tally-raw": parts.log, "tally-windows": parts.windows_queue };
  const byQueue = (of: (queue: (typeof queues)["tally-raw"]) => Value) =>
    Object.entries(queues).map(([queue, part]) => sampleOf({ queue }, of(part)));
  return [
    stateset("tally_health", "How the pipeline is.", VERDICTS, [[{}, health.verdict]]),
    stateset(
      "tally_health_part",
      "How each part of it is; unknown when whoever would know does not answer.",
      PART_VERDICTS,
      Object.entries(parts).map(([part, { verdict }]) => [{ part }, verdict]),
    ),
    gauge("freshness_seconds", "How long ago windows ended that history has all of.", history.freshness_s),
    gauge(
      "oldest_unfinished_window_age_seconds",
      "Since the beginning of the first closed window with a change that history is not known to have; 0 for none.",
      shards.verdict === "unknown" ? null : (age(history.oldest_unfinished_window) ?? 0),
    ),
    family(
      "queue_waiting_messages",
      "Messages in a queue, as the platform tells.",
      byQueue((q) => q.waiting_messages),
    ),
    family(
      "queue_waiting_bytes",
      "Bytes in a queue, as the platform tells.",
      byQueue((q) => q.waiting_bytes),
    ),
    family(
      "queue_oldest_waiting_age_seconds",
      "Age of the oldest message in a queue, 0 for none.",
      byQueue((q) => (q.waiting_messages === null ? null : (age(q.oldest_waiting_at) ?? 0))),
    ),
    family(
      "queue_worst_age_seconds",
      "Age of the oldest message that was delivered in the last five minutes.",
      byQueue((q) => q.worst_age_s),
    ),
    gauge("shards", "Shards that own windows which are not final yet.", shards.shards),
    gauge("shards_asked", "Shards that were asked how they are.", shards.asked),
    gauge("shards_reachable", "Shards that answered.", shards.reachable),
    gauge("shard_windows", "Ten-minute windows that shards have.", shards.windows),
    gauge("shard_memory_max_bytes", "What the fullest shard has in memory.", shards.bytes_max),
    gauge("shard_damaged_windows", "Windows that wait to be rebuilt from the archive.", shards.damaged_windows),
    gauge("shard_unconfirmed_emissions", "Emissions not known to be in history.", shards.unconfirmed_emissions),
    gauge(
      "shard_unconfirmed_age_seconds",
      "Since when the first of those is on its way, 0 for none.",
      shards.unconfirmed_emissions === null ? null : (age(shards.oldest_unconfirmed_at) ?? 0),
    ),
    gauge("history_answer_seconds", "How long ClickHouse took to answer.", history.answered_in_s),
    gauge("directory_answer_seconds", "How long D1 took to answer.", parts.directory.answered_in_s),
    family("dead_letters", "Messages their consumers gave up on.", [
      sampleOf({ queue: "tally-raw" }, dead_letters.waiting?.raw ?? null),
      sampleOf({ queue: "tally-windows" }, dead_letters.waiting?.windows ?? null),
    ]),
    gauge(
      "audit_behind_seconds",
      "How much of what is final is not audited.",
      audit.audited_through === null ? null : behind(audit),
    ),
    family(
      "audit_windows",
      "Windows by verdict, of audits of the last seven days.",
      Object.entries(audit.windows ?? {}).map(([verdict, windows]) => sampleOf({ verdict }, windows)),
    ),
    gauge("audit_doubts", "Parts of those that plain SQL adds up to something else.", audit.doubts),
    gauge("replays_running", "Replays and audits that run.", replays.running),
    gauge("replays_failing", "Those whose last pass failed.", replays.failing),
    gauge("late_windows", "Windows with late events that wait to be counted anew.", late_windows.waiting),
    gauge("late_windows_failing", "Those that could not be.", late_windows.failing),
    gauge(
      "late_windows_age_seconds",
      "Since when the first of them waits, 0 for none.",
      late_windows.waiting === null ? null : (age(late_windows.waiting_since) ?? 0),
    ),
    gauge("archive_hours_waiting", "Hours that wait to be compacted.", archive.hours_waiting),
    gauge("archive_hours_failing", "Those that could not be.", archive.hours_failing),
    gauge("meters_reachable", "Meters that answered, of four.", parts.meters.reachable),
  ];
}

function behind({ final_through, audited_through }: Health["parts"]["audit"]): number {
  return Math.max(0, (Date.parse(final_through) - Date.parse(audited_through ?? final_through)) / 1000);
}

type MaybeSample = Omit<Sample, "value"> & { readonly value: Value };

const sampleOf = (labels: Labels, value: Value): MaybeSample => ({ labels, value });

function gauge(name: string, help: string, value: Value): Family {
  return family(name, help, [sampleOf({}, value)]);
}

function family(name: string, help: string, samples: readonly MaybeSample[]): Family {
  const unit = (["seconds", "bytes"] as const).find((unit) => name.endsWith(`_${unit}`));
  return {
    name: `tally_${name}`,
    help,
    type: "gauge",
    ...(unit === undefined ? {} : { unit }),
    samples: samples.flatMap(({ labels, value }) => (value === null ? [] : [{ labels, value }])),
  };
}

function stateset(
  name: string,
  help: string,
  states: readonly string[],
  held: readonly (readonly [Labels, string])[],
): Family {
  const samples = held.flatMap(([labels, state]) =>
    states.map((one) => ({ labels: { ...labels, [name]: one }, value: one === state ? 1 : 0 })),
  );
  return { name, help, type: "stateset", samples };
}
