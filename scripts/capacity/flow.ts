import { RAW_MESSAGE_BYTES_MAX } from "../../shared/messages/raw.ts";
import { touched, touchedText } from "./calls.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS, QUEUE_CHUNK_BYTES, QUEUE_OPERATIONS_PER_CHUNK } from "./platform.ts";

/** `HEADER_BYTES_MAX` in workers/ingest/log-events.ts. */
const HEADER_ROOM_BYTES = 20_000;
/** What the header of a message with a member or two takes. */
const HEADER_BYTES = 300;

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
  });
}

/** From the consumer that archives to the one that calls the shards, when there are two. */
export function partitionFlow(o: CapacityOptions, { batchesPerDay, groups, eventsPerBatch }: Flow): Flow {
  return flowOf(o, {
    prefix: "partition",
    partitions: o.partitions,
    copies: 1,
    sets: batchesPerDay * groups,
    eventsPerSet: eventsPerBatch / groups,
    setName: "group",
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
}

function flowOf(o: CapacityOptions, source: Source): Flow {
  const figure = figuresOf("log");
  const { prefix, partitions, copies, sets, eventsPerSet, setName } = source;
  const queues = partitions * copies;
  const gzipBytes = o["gzip-bytes"];
  const parts = touched(eventsPerSet, partitions);
  const eventsMax = Math.max(1, Math.floor((RAW_MESSAGE_BYTES_MAX - HEADER_ROOM_BYTES) / gzipBytes));
  const messagesPerSet = parts * Math.ceil(eventsPerSet / parts / eventsMax);
  const messagesPerDay = sets * messagesPerSet;
  const eventsPerMessage = eventsPerSet / messagesPerSet;
  const messageBytes = eventsPerMessage * gzipBytes + HEADER_BYTES;
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
      `${touchedText(eventsPerSet, partitions)} × ceil(${n(eventsPerSet / parts)} events / ${n(eventsMax)})`,
    ),
    within(
      figure(
        `${prefix}_message`,
        messageBytes,
        "bytes",
        `${n(eventsPerMessage)} events × ${n(gzipBytes)} + ${n(HEADER_BYTES)}`,
      ),
      LIMITS.queueMessage.value,
      LIMITS.queueMessage,
      "an event of this size fits no message: it must be smaller (--gzip-bytes)",
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
