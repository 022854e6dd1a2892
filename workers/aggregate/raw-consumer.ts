import { acceptEvent } from "../../shared/accept-event.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { decodeRawMessage, type RawMessage } from "../../shared/messages/raw.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { windowStart } from "../../shared/window.ts";
import { applyToShards } from "../apply-to-shards.ts";
import { loadTopology } from "../directory/topology.ts";
import { gunzip } from "../gzip.ts";
import { log } from "../log.ts";
import { archive } from "./archive.ts";
import { buryMessage } from "./dead-letters.ts";
import type { Env } from "./env.ts";
import { noteLateWindows } from "./late-windows.ts";
import { messageGroups } from "./message-groups.ts";
import { retryDelayS } from "./retry.ts";

/** Compressed, of what is dealt with at a time; unpacked and parsed it takes some twenty times as much. */
const GROUP_BYTES_MAX = 2_000_000;
/** A member is made of at most 10 MB of request. */
const MEMBER_BYTES_MAX = 32_000_000;
/** A shard that takes longer is given the batch again later; what it counted meanwhile is a duplicate then. */
const SHARD_TIMEOUT_MS = 30_000;

interface Delivery {
  readonly message: Message;
  readonly raw: RawMessage;
  readonly events: readonly PaymentEvent[];
}

/**
 * Archives a batch of raw messages, has the shards count what they have not, and only then acknowledges. Delivered again, it writes
 * the same objects or ones that repeat their lines, and counts nothing twice.
 */
export async function consumeRaw(batch: MessageBatch, env: Env): Promise<void> {
  for (const messages of messageGroups(batch.messages, GROUP_BYTES_MAX)) await consumeGroup(messages, batch.queue, env);
}

async function consumeGroup(messages: readonly Message[], queue: string, env: Env): Promise<void> {
  const deliveries = await readDeliveries(messages, queue, env);
  if (deliveries.length === 0) return;
  try {
    await archive(
      env.ARCHIVE,
      deliveries.map(({ raw }) => raw),
    );
    await count(deliveries, env);
  } catch (error) {
    log("error", "raw batch failed", { messages: deliveries.length, error });
    for (const { message } of deliveries) message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}

async function readDeliveries(messages: readonly Message[], queue: string, env: Env): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const message of messages) {
    const read = readMessage(message.body);
    if (read.ok) deliveries.push({ message, ...read.value });
    else await buryMessage(env, queue, message, read.error.reason);
  }
  return deliveries;
}

function readMessage(body: unknown): Result<Omit<Delivery, "message">, { readonly reason: string }> {
  const decoded = decodeRawMessage(body);
  if (!decoded.ok) return decoded;
  const raw = decoded.value;
  const events: PaymentEvent[] = [];
  for (const { gzip, events: count } of raw.members) {
    const lines = readLines(gzip);
    if (!lines.ok) return lines;
    if (lines.value.length !== count)
      return err({ reason: `${lines.value.length} lines where ${count} were promised` });
    for (const line of lines.value) {
      const accepted = acceptEvent(line);
      if (!accepted.ok) return err({ reason: `an event is not one: ${accepted.error.path} ${accepted.error.message}` });
      events.push(accepted.value);
    }
  }
  return ok({ raw, events });
}

function readLines(gzip: Uint8Array): Result<unknown[], { readonly reason: string }> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(gunzip(gzip, MEMBER_BYTES_MAX));
    return ok(
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    );
  } catch (error) {
    return err({ reason: `a member cannot be read: ${String(error)}` });
  }
}

async function count(deliveries: readonly Delivery[], env: Env): Promise<void> {
  const nowMs = Date.now();
  const events = deliveries.flatMap((delivery) => delivery.events);
  const statuses = await applyToShards(
    {
      shards: env.SHARD,
      topology: await loadTopology(env.DIRECTORY, nowMs),
      identityKey: sipKeyFromHex(env.IDENTITY_KEY),
      timeoutMs: SHARD_TIMEOUT_MS,
    },
    events,
  );
  const late = events.filter((_, index) => statuses[index] === STATUS.late);
  await noteLateWindows(
    env.DIRECTORY,
    late.map(({ merchant_id, occurred_at }) => ({ merchantId: merchant_id, startMs: windowStart(occurred_at) })),
    nowMs,
  );
  let at = 0;
  for (const { message, events: own } of deliveries) {
    const done = statuses.slice(at, at + own.length).every((status) => status !== undefined);
    at += own.length;
    if (done) message.ack();
    else message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}
