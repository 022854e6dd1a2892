import { RAW_MESSAGE_BYTES_MAX } from "../../shared/messages/raw.ts";
import { SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import { touched, touchedText } from "./calls.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS, QUEUE_CHUNK_BYTES, QUEUE_OPERATIONS_PER_CHUNK } from "./platform.ts";

/** `LINE_BYTES_TARGET` in workers/ingest/log-events.ts: a message begins with events of so many bytes of lines. */
export const LINE_BYTES_TARGET = 520_000;
/** What the header of a message with a member or two takes. */
const HEADER_BYTES = 220;

/** Events on their way through queues, and how consumers get them. */
export interface Flow {
  readonly items: readonly Item[];
  /** Each has the events of a part of the shards; it is one queue, or several alike. */
  readonly partitions: number;
  readonly queues: number;
  readonly messagesPerDay: number;
  readonly messageBytes: number;
  readonly operationsPerDay: number;
  readonly batchesPerDay: number;
  readonly eventsPerBatch: number;
  /** A batch is dealt with in groups, one after another: so many full ones, and what is left. */
  readonly fullGroups: number;
  readonly eventsPerFullGroup: number;
  readonly eventsOfRest: number;
  readonly groups: number;
}

/** From the requests to the consumer that archives; without `repartition` it also calls the shards. */
export function logFlow(o: CapacityOptions, load: Load): Flow {
  return flowOf(o, {
    prefix: "raw",
    partitions: o.repartition ? 1 : o.partitions,
    copies: o["raw-queues"],
    sets: load.requestsPerDay,
    eventsPerSet: o.batch,
    setName: "request",
    eventBytes: o["gzip-bytes"] + o["column-bytes"],
    lineBytes: o["line-bytes"],
  });
}

/** From the consumer that archives to the one that calls the shards, when there are two: the columns are enough, the lines are archived. */
export function partitionFlow(o: CapacityOptions, { batchesPerDay, groups, eventsPerBatch }: Flow): Flow {
  return flowOf(o, {
    prefix: "partition",
    partitions: o.partitions,
    copies: 1,
    sets: batchesPerDay * groups,
    eventsPerSet: eventsPerBatch / groups,
    setName: "group",
    eventBytes: o["column-bytes"],
    lineBytes: 0,
  });
}

interface Source {
  readonly prefix: "raw" | "partition";
  readonly partitions: number;
  readonly copies: number;
  /** How often a day a set of events is sent. */
  readonly sets: number;
  readonly eventsPerSet: number;
  readonly setName: "request" | "group";
  readonly eventBytes: number;
  readonly lineBytes: number;
}

function flowOf(o: CapacityOptions, source: Source): Flow {
  const figure = figuresOf("log");
  const { prefix, partitions, copies, sets, eventsPerSet, setName, eventBytes } = source;
  const queues = partitions * copies;
  const parts = touched(eventsPerSet, partitions);
  const cut = cutOf(source, eventsPerSet / parts);
  const messagesPerSet = parts * cut.messages;
  const messagesPerDay = sets * messagesPerSet;
  const eventsPerMessage = eventsPerSet / messagesPerSet;
  const messageBytes = eventsPerMessage * eventBytes + HEADER_BYTES;
  const operationsPerDay = messagesPerDay * Math.ceil(messageBytes / QUEUE_CHUNK_BYTES) * QUEUE_OPERATIONS_PER_CHUNK;
  const perQueueS = messagesPerDay / DAY_S / queues;
  const batch = Math.min(o["consumer-batch"], 1 + perQueueS * o["consumer-wait-s"]);
  const groupBytes = o["group-mb"] * 1e6;
  const groupMessages = Math.max(1, Math.floor(groupBytes / messageBytes));
  const fullGroups = Math.floor(batch / groupMessages);
  const restMessages = batch - fullGroups * groupMessages;
  const items = [
    figure(
      `${prefix}_messages_per_${setName}`,
      messagesPerSet,
      "messages",
      `${touchedText(eventsPerSet, partitions)} × ${cut.text}`,
    ),
    within(
      figure(
        `${prefix}_message`,
        messageBytes,
        "bytes",
        `${n(eventsPerMessage)} events × ${n(eventBytes)} + ${n(HEADER_BYTES)}`,
      ),
      LIMITS.queueMessage.value,
      LIMITS.queueMessage,
      "an event of this size fits no message: it must be smaller (--gzip-bytes, --column-bytes)",
    ),
    within(
      figure(
        `${prefix}_messages_peak`,
        perQueueS * o.peak,
        "messages/s a queue",
        `${n(messagesPerDay)} a day / ${n(DAY_S)} s / ${n(queues)} queues × ${n(o.peak)}`,
      ),
      LIMITS.queueMessages.value,
      LIMITS.queueMessages,
      "more events a request (--batch), or more queues (--raw-queues)",
    ),
    figure(
      `${prefix}_operations`,
      operationsPerDay,
      "operations/day",
      `${n(messagesPerDay)} messages × ${n(QUEUE_OPERATIONS_PER_CHUNK)} × ceil(${n(messageBytes)} / ${n(QUEUE_CHUNK_BYTES)})`,
    ),
    figure(
      `${prefix}_batch`,
      batch,
      "messages",
      `min(${n(o["consumer-batch"])}, 1 + ${n(perQueueS)} messages/s × ${n(o["consumer-wait-s"])} s)`,
    ),
    figure(
      `${prefix}_group`,
      groupMessages,
      "messages at most",
      `max(1, floor(${n(groupBytes)} / ${n(messageBytes)}))`,
    ),
    figure(
      `${prefix}_groups_per_batch`,
      Math.ceil(batch / groupMessages),
      "groups",
      `ceil(${n(batch)} messages / ${n(groupMessages)})`,
    ),
    figure(`${prefix}_batches`, messagesPerDay / batch, "batches/day", `${n(messagesPerDay)} messages / ${n(batch)}`),
  ];
  return {
    items,
    partitions,
    queues,
    messagesPerDay,
    messageBytes,
    operationsPerDay,
    batchesPerDay: messagesPerDay / batch,
    eventsPerBatch: batch * eventsPerMessage,
    fullGroups,
    eventsPerFullGroup: groupMessages * eventsPerMessage,
    eventsOfRest: restMessages * eventsPerMessage,
    groups: Math.ceil(batch / groupMessages),
  };
}

/** How many messages some events of one partition are cut into, as `packEvents` does: by their lines, then halved until each fits. */
function cutOf({ eventBytes, lineBytes }: Source, events: number): { messages: number; text: string } {
  const cuts = Math.max(
    1,
    Math.ceil((events * lineBytes) / LINE_BYTES_TARGET),
    Math.ceil(events / SHARD_BATCH_EVENTS_MAX),
  );
  const isTooLarge = (messages: number) =>
    (events / messages) * eventBytes + HEADER_BYTES > RAW_MESSAGE_BYTES_MAX && events / messages > 1;
  let halvings = 0;
  while (isTooLarge(cuts * 2 ** halvings)) halvings += 1;
  const byLines = `ceil(${n(events)} events × ${n(lineBytes)} / ${n(LINE_BYTES_TARGET)})`;
  return {
    messages: cuts * 2 ** halvings,
    text: `max(1, ${byLines}, ceil(${n(events)} / ${n(SHARD_BATCH_EVENTS_MAX)})) × 2^${n(halvings)} halvings`,
  };
}
