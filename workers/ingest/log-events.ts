import type { EventBatch } from "../../shared/event-batch.ts";
import type { EventLines } from "../../shared/event-lines.ts";
import { encodeRawMessage, RAW_MESSAGE_BYTES_MAX, type RawMember } from "../../shared/messages/raw.ts";
import { encodeShardBatch, SHARD_BATCH_EVENTS_MAX } from "../../shared/messages/shard-batch.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { gzip } from "../gzip.ts";

/** Members of one message: the frame's header, with some 60 bytes for each, stays below what is left of the platform's 128 KB. */
const MEMBERS_PER_MESSAGE_MAX = 60;
/**
 * A message begins with events of so many bytes of lines, which compress to a fifth or less as a rule; with their columns they take most of what
 * a message may. One that comes out too large is halved.
 */
const LINE_BYTES_TARGET = 520_000;

/** The accepted events of one request. */
export interface LoggedEvents {
  readonly batch: EventBatch;
  readonly lines: EventLines;
}

export interface LogOptions {
  /** The request's id. */
  readonly request: string;
  readonly receivedAtMs: number;
  /** What the shards know the request by, when they are called directly; empty otherwise. */
  readonly token: string;
}

/** The events of one request as messages for the log: gzip members by event hour, and what is counted of the events. */
export function packEvents(
  events: LoggedEvents,
  { request, receivedAtMs, token }: LogOptions,
): Uint8Array<ArrayBuffer>[] {
  const { size } = events.batch;
  const bytes = size === 0 ? 0 : events.lines.end(size - 1);
  const parts = Math.max(Math.ceil(bytes / LINE_BYTES_TARGET), Math.ceil(size / SHARD_BATCH_EVENTS_MAX));
  const messages: Uint8Array<ArrayBuffer>[] = [];
  // Lines that all stand together are in order; others say which they are.
  let isNumbered = parts > 1 || onlyHourOf(events.batch, 0, size) === undefined;
  const pack = (from: number, to: number): void => {
    const members = membersOf(events, from, to, isNumbered);
    const batch = `${request}-${messages.length}`;
    const columns = encodeShardBatch(
      from === 0 && to === events.batch.size ? events.batch : events.batch.slice(from, to),
    );
    const message = encodeRawMessage({ batch, receivedAtMs, members, columns, token });
    const isTooLarge = message.byteLength > RAW_MESSAGE_BYTES_MAX || members.length > MEMBERS_PER_MESSAGE_MAX;
    // A single event takes some 6 KB at most, so halving ends.
    if (!isTooLarge || to - from === 1) {
      messages.push(message);
      return;
    }
    isNumbered = true;
    const middle = Math.ceil((from + to) / 2);
    pack(from, middle);
    pack(middle, to);
  };
  for (let part = 0; part < parts; part++) {
    pack(Math.floor((part * size) / parts), Math.floor(((part + 1) * size) / parts));
  }
  return messages;
}

/** One member for each event hour, lines in the order of the request. Mostly there is one hour, and its lines stand together already. */
function membersOf({ batch, lines }: LoggedEvents, from: number, to: number, isNumbered: boolean): RawMember[] {
  const onlyHourMs = isNumbered ? undefined : onlyHourOf(batch, from, to);
  if (onlyHourMs !== undefined) return [{ hourMs: onlyHourMs, events: to - from, gzip: gzip(lines.view(from, to)) }];
  return [...hoursOf(batch, from, to)].map(([hourMs, indexes]) => {
    return { hourMs, events: indexes.length, gzip: gzip(joined(lines, indexes)) };
  });
}

/** The hour that all of some events are of, `undefined` when there is none or more than one. */
function onlyHourOf(batch: EventBatch, from: number, to: number): number | undefined {
  if (from === to) return undefined;
  const hourMs = batch.occurredAt(from) - (batch.occurredAt(from) % HOUR_MS);
  for (let i = from; i < to; i++) {
    const sinceMs = batch.occurredAt(i) - hourMs;
    if (sinceMs < 0 || sinceMs >= HOUR_MS) return undefined;
  }
  return hourMs;
}

/** Events by their hour. */
function hoursOf(batch: EventBatch, from: number, to: number): Map<number, number[]> {
  const hours = new Map<number, number[]>();
  for (let i = from; i < to; i++) {
    const hourMs = batch.occurredAt(i) - (batch.occurredAt(i) % HOUR_MS);
    const indexes = hours.get(hourMs);
    if (indexes === undefined) hours.set(hourMs, [i]);
    else indexes.push(i);
  }
  return hours;
}

/** The lines, each with its number in the request, `n`. */
function joined(lines: EventLines, indexes: readonly number[]): Uint8Array<ArrayBuffer> {
  const ends = indexes.map((i) => encoder.encode(`,"n":${i}}\n`));
  const bytes = new Uint8Array(
    indexes.reduce((sum, i, at) => sum + lines.end(i) - lines.begin(i) - LINE_END + (ends[at]?.length ?? 0), 0),
  );
  let at = 0;
  indexes.forEach((i, k) => {
    const line = lines.view(i, i + 1);
    bytes.set(line.subarray(0, line.length - LINE_END), at);
    at += line.length - LINE_END;
    const end = ends[k] ?? new Uint8Array(0);
    bytes.set(end, at);
    at += end.length;
  });
  return bytes;
}

const encoder = new TextEncoder();
/** What ends a line: its brace and the line feed. */
const LINE_END = 2;
