import { STATUS } from "../../shared/messages/shard-batch.ts";
import { UNANSWERED } from "../apply-to-shards.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";

/** Notes how old the messages of a batch are when they are delivered; those that come to be buried do not count. */
export function meterArrival({ queue, messages }: MessageBatch, nowMs: number): void {
  if (queue.endsWith("-dead")) return;
  for (const { timestamp } of messages) {
    const ageMs = Math.max(0, nowMs - timestamp.getTime());
    isolateMeter.observe("queue_message_age_seconds", ageMs / 1000, queue);
    isolateMeter.peak("queue_age_ms", ageMs, queue);
  }
}

/** Acknowledges, and counts it. */
export function acknowledge(message: Message, queue: string): void {
  message.ack();
  isolateMeter.count("queue_messages", 1, queue, "acknowledged");
}

/** Has it delivered again, and counts it. */
export function retryLater(message: Message, queue: string, delaySeconds: number): void {
  message.retry({ delaySeconds });
  isolateMeter.count("queue_messages", 1, queue, "retried");
}

/** Counts what shards said of the events the log brought; of `statuses` without an answer, those were not `sent` that had been counted before. */
export function meterLogEvents(statuses: Uint8Array, sent: number): void {
  const byStatus = new Map<number, number>();
  for (const status of statuses) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const countedBefore = statuses.length - sent;
  isolateMeter.count("log_events", byStatus.get(STATUS.accepted) ?? 0, "accepted");
  isolateMeter.count("log_events", byStatus.get(STATUS.duplicate) ?? 0, "duplicate");
  isolateMeter.count("log_events", byStatus.get(STATUS.conflict) ?? 0, "conflict");
  isolateMeter.count("log_events", byStatus.get(STATUS.late) ?? 0, "late");
  isolateMeter.count("log_events", countedBefore, "counted_before");
  isolateMeter.count("log_events", (byStatus.get(UNANSWERED) ?? 0) - countedBefore, "unanswered");
}
