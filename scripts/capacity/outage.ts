import type { Counting } from "./counting.ts";
import type { Flow } from "./flow.ts";
import type { History } from "./history.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS } from "./platform.ts";

/** What waits in the queues while nobody takes it, and how long it takes to make up for it. `flow` is from the requests to the archive. */
export function outageItems(
  o: CapacityOptions,
  load: Load,
  flow: Flow,
  counted: Flow,
  { batchS }: Counting,
  history: History,
): Item[] {
  const figure = figuresOf("outage");
  const messages = (flow.messagesPerDay / DAY_S) * 60 * o.peak;
  const bytes = messages * flow.messageBytes;
  const minutes = o["outage-minutes"];
  const windowsBytes = (history.bytesPerDay / DAY_S) * 60 * o.peak;
  const capacity = (LIMITS.queueConsumers.value * counted.queues * counted.eventsPerBatch) / batchS;
  const peak = load.eventsPerSecondPeak;
  return [
    figure(
      "backlog_messages",
      messages,
      "messages a minute",
      `${n(flow.messagesPerDay)} / ${n(DAY_S)} × 60 s × ${n(o.peak)}`,
    ),
    figure("backlog_bytes", bytes, "bytes a minute", `${n(messages)} × ${n(flow.messageBytes)}`),
    within(
      figure(
        "backlog_of_outage",
        (bytes * minutes) / flow.queues,
        "bytes a queue",
        `${n(bytes)} × ${n(minutes)} minutes / ${n(flow.queues)} queues`,
      ),
      LIMITS.queueBacklog.value,
      LIMITS.queueBacklog,
      "more RAW queues (--raw-queues); beyond the limit sources get 503 and must keep their events",
    ),
    figure(
      "backlog_full_after",
      (LIMITS.queueBacklog.value * flow.queues) / bytes,
      "minutes",
      `${n(LIMITS.queueBacklog.value)} × ${n(flow.queues)} queues / ${n(bytes)}`,
    ),
    within(
      figure(
        "windows_backlog_of_outage",
        windowsBytes * minutes,
        "bytes",
        `${n(history.bytesPerDay)} / ${n(DAY_S)} × 60 s × ${n(o.peak)} × ${n(minutes)} minutes of ClickHouse away`,
      ),
      LIMITS.queueBacklog.value,
      LIMITS.queueBacklog,
      "nothing is lost: shards keep what is not confirmed, stop at 64 emissions on their way, and send again; more WINDOWS queues (to be built)",
    ),
    figure(
      "log_capacity",
      capacity,
      "events/s",
      `${n(LIMITS.queueConsumers.value)} × ${n(counted.queues)} queues × ${n(counted.eventsPerBatch)} events / ${n(batchS)} s`,
    ),
    within(
      figure("log_use_peak", peak / capacity, "of the capacity", `${n(peak)} / ${n(capacity)}`),
      1,
      {
        of: "what the consumers can take, else the backlog grows",
        source: "developers.cloudflare.com/queues/platform/limits",
      },
      "fewer shards for a queue (--partitions, best with --repartition), or more queues (--raw-queues)",
    ),
    figure(
      "catching_up",
      capacity > peak ? peak / (capacity - peak) : Number.POSITIVE_INFINITY,
      "minutes for each of outage",
      capacity > peak ? `${n(peak)} / (${n(capacity)} − ${n(peak)})` : "never: more comes than is taken",
    ),
  ];
}
