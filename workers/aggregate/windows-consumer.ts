import { decodeWindowsMessage, type WindowsMessage } from "../../shared/messages/windows.ts";
import { err, type Result } from "../../shared/result.ts";
import { gunzip } from "../gzip.ts";
import { log } from "../log.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";
import { buryMessage } from "./dead-letters.ts";
import type { Env } from "./env.ts";
import { insertWindows, isRefusal } from "./history.ts";
import { messageGroups } from "./message-groups.ts";
import { acknowledge, retryLater } from "./metered-queue.ts";
import { retryDelayS } from "./retry.ts";

/** Compressed, of what is stored at a time; unpacked and parsed it takes some thirty times as much. */
const GROUP_BYTES_MAX = 1_500_000;
const MESSAGE_TEXT_BYTES_MAX = 64_000_000;

interface Delivery {
  readonly message: Message;
  readonly windows: WindowsMessage;
}

/**
 * Writes the windows of a queue batch in few inserts, mostly one, tells the shards what is stored, and acknowledges. While ClickHouse is
 * away the messages wait in the queue; should one die there, the shard has not been told, and sends its windows again.
 */
export async function consumeWindows(batch: MessageBatch, env: Env): Promise<void> {
  for (const messages of messageGroups(batch.messages, GROUP_BYTES_MAX)) await consumeGroup(messages, batch.queue, env);
}

async function consumeGroup(messages: readonly Message[], queue: string, env: Env): Promise<void> {
  const deliveries: Delivery[] = [];
  for (const message of messages) {
    const read = readMessage(message.body);
    if (read.ok) deliveries.push({ message, windows: read.value });
    else await buryMessage(env, queue, message, read.error.reason);
  }
  if (deliveries.length > 0) await store(deliveries, queue, env);
}

async function store(deliveries: readonly Delivery[], queue: string, env: Env): Promise<void> {
  const rows = deliveries.flatMap(({ windows }) => windows.rows);
  try {
    await insertWindows(env, rows);
    isolateMeter.count("history_inserts", 1, "stored");
    isolateMeter.count("history_rows", rows.length);
  } catch (error) {
    isolateMeter.count("history_inserts", 1, "failed");
    log("error", "windows not stored", { messages: deliveries.length, error });
    await storeFailed(deliveries, queue, env, error);
    return;
  }
  await confirm(deliveries, env);
  for (const { message } of deliveries) acknowledge(message, queue);
}

/** Finds the message whose rows are refused, so that the others get through; waits when it is ClickHouse that fails. */
async function storeFailed(deliveries: readonly Delivery[], queue: string, env: Env, error: unknown): Promise<void> {
  const [first] = deliveries;
  if (!isRefusal(error)) {
    for (const { message } of deliveries) retryLater(message, queue, retryDelayS(message.attempts));
  } else if (deliveries.length === 1 && first !== undefined) {
    await buryMessage(env, queue, first.message, `ClickHouse refuses its rows: ${String(error)}`);
  } else {
    for (const delivery of deliveries) await store([delivery], queue, env);
  }
}

/** A confirmation that does not arrive costs a repeat of the emission, no more. */
async function confirm(deliveries: readonly Delivery[], env: Env): Promise<void> {
  const byShard = new Map<string, [emission: number, part: number][]>();
  for (const { windows } of deliveries) {
    const parts = byShard.get(windows.shard) ?? [];
    parts.push([windows.emission, windows.part]);
    byShard.set(windows.shard, parts);
  }
  await Promise.all(
    [...byShard].map(async ([shard, parts]) => {
      try {
        await env.SHARD.get(env.SHARD.idFromString(shard)).confirm(parts);
      } catch (error) {
        log("warn", "shard not told what is stored", { shard, error });
      }
    }),
  );
}

function readMessage(body: unknown): Result<WindowsMessage, { readonly reason: string }> {
  if (!(body instanceof ArrayBuffer || body instanceof Uint8Array)) return err({ reason: "not bytes" });
  try {
    const bytes = gunzip(body instanceof Uint8Array ? body : new Uint8Array(body), MESSAGE_TEXT_BYTES_MAX);
    return decodeWindowsMessage(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return err({ reason: `cannot be read: ${String(error)}` });
  }
}
