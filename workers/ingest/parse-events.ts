import type { EventFault } from "../../shared/accept-event.ts";
import { EventScanner } from "../../shared/event-scanner.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Problem } from "../http/problem.ts";
import { EVENTS_PER_REQUEST_MAX, LINE_LENGTH_MAX } from "./limits.ts";

/** Where the events of a body go, one after another; an event's position is its index in the receipt. */
export interface EventSink {
  /** How many there were so far. */
  readonly size: number;
  /** Reads JSON; throws when it is none. */
  readonly parse: (json: string) => unknown;
  /** The event a scanner has found in `length` bytes; false, and nothing has happened, when it has to be parsed to be judged. */
  scanned(scanner: EventScanner, length: number): boolean;
  /** An event as `parse` read it: a payment, or a CloudEvent that says so itself. */
  value(raw: unknown): void;
  /** What was sent as a CloudEvent. */
  cloudEvent(raw: unknown): void;
  /** An event that cannot be read. */
  fault(fault: EventFault): void;
}

const NDJSON = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]);

const LINE_FEED = 10;
const QUOTE = 34;
const COMMA = 44;
const BRACKET_OPEN = 91;
const BACKSLASH = 92;
const BRACKET_CLOSE = 93;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;
const BOM = [0xef, 0xbb, 0xbf] as const;

/**
 * Reads the events of a body, which is UTF-8: a JSON object, a JSON array, or one JSON object a line. Events of the common form are found in
 * the bytes; only others are parsed. `newSink` may be called twice: what began as an array and turns out to be none gives nothing.
 */
export function readEvents<Sink extends EventSink>(
  bytes: Uint8Array,
  contentType: string | null,
  newSink: () => Sink,
): Result<Sink, Problem> {
  const mediaType = mediaTypeOf(contentType);
  const start = afterByteOrderMark(bytes);
  if (mediaType === "application/json") return readJson(bytes, start, newSink);
  return NDJSON.has(mediaType) ? readLines(bytes, start, newSink()) : err(unsupportedType);
}

/** A media type without its parameters, in lower case. */
export function mediaTypeOf(contentType: string | null): string {
  return contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Where the text of a body begins. */
export function afterByteOrderMark(bytes: Uint8Array): number {
  return BOM.every((byte, at) => bytes[at] === byte) ? BOM.length : 0;
}

function readJson<Sink extends EventSink>(
  bytes: Uint8Array,
  start: number,
  newSink: () => Sink,
): Result<Sink, Problem> {
  const sink = newSink();
  return walkJson(bytes, start, sink) ? ok(sink) : parseJson(textOf(bytes, start, bytes.length), newSink());
}

/** False for whatever is not plainly an object or an array of objects within the limit. */
function walkJson(bytes: Uint8Array, start: number, sink: EventSink): boolean {
  const scanner = new EventScanner(bytes);
  let at = scanner.skipSpace(start);
  if (bytes[at] === BRACE_OPEN) {
    at = readObject(scanner, at, sink);
    return at >= 0 && scanner.skipSpace(at) === bytes.length;
  }
  if (bytes[at] !== BRACKET_OPEN) return false;
  at = scanner.skipSpace(at + 1);
  if (bytes[at] === BRACKET_CLOSE) return scanner.skipSpace(at + 1) === bytes.length;
  for (;;) {
    if (sink.size === EVENTS_PER_REQUEST_MAX) return false;
    at = readObject(scanner, at, sink);
    if (at < 0) return false;
    at = scanner.skipSpace(at);
    if (bytes[at] === BRACKET_CLOSE) return scanner.skipSpace(at + 1) === bytes.length;
    if (bytes[at] !== COMMA) return false;
    at = scanner.skipSpace(at + 1);
  }
}

/** Reads the object that begins at `at`; answers where it ends, -1 when there is none. */
function readObject(scanner: EventScanner, at: number, sink: EventSink): number {
  const end = scanner.scan(at);
  if (end >= 0 && sink.scanned(scanner, end - at)) return end;
  const { bytes } = scanner;
  const closed = end >= 0 ? end : objectEnd(bytes, at);
  const parsed = closed < 0 ? undefined : tryParse(textOf(bytes, at, closed), sink);
  if (parsed === undefined) return -1;
  sink.value(parsed.value);
  return closed;
}

/** Where braces and brackets are balanced again; whether what stands between is JSON is left to be seen. */
function objectEnd(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== BRACE_OPEN) return -1;
  let depth = 0;
  let isString = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isString = !isString;
    else if (isString && byte === BACKSLASH) at++;
    else if (isString) continue;
    else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) depth++;
    else if ((byte === BRACE_CLOSE || byte === BRACKET_CLOSE) && --depth === 0) return at + 1;
  }
  return -1;
}

function parseJson<Sink extends EventSink>(text: string, sink: Sink): Result<Sink, Problem> {
  const parsed = tryParse(text, sink);
  if (parsed === undefined) {
    const isLines = text.trimStart().startsWith("{") && text.includes("\n");
    return err(isLines ? malformedJson(" One object a line is application/x-ndjson.") : malformedJson());
  }
  const values: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  if (values.length > EVENTS_PER_REQUEST_MAX) return err(tooManyEvents(String(values.length)));
  for (const value of values) sink.value(value);
  return ok(sink);
}

function readLines<Sink extends EventSink>(bytes: Uint8Array, start: number, sink: Sink): Result<Sink, Problem> {
  const scanner = new EventScanner(bytes);
  let end = start;
  for (let begin = start; begin < bytes.length; begin = end + 1) {
    end = bytes.indexOf(LINE_FEED, begin);
    if (end < 0) end = bytes.length;
    const at = scanner.skipSpace(begin);
    // Of nothing but white space; several such lines are passed over at once: one by one, a body of line feeds would be looked at anew from each.
    if (at >= end) {
      end = at === bytes.length ? at : bytes.lastIndexOf(LINE_FEED, at - 1);
      continue;
    }
    // The request is refused, so the rest need not be read.
    const isFull = sink.size === EVENTS_PER_REQUEST_MAX;
    if (!isFull && end - begin <= LINE_LENGTH_MAX && scanLine(scanner, at, end, sink)) continue;
    const text = textOf(bytes, begin, end);
    if (text.trim() === "") continue;
    if (isFull) return err(tooManyEvents("more"));
    parseLine(text, sink);
  }
  return ok(sink);
}

function scanLine(scanner: EventScanner, at: number, end: number, sink: EventSink): boolean {
  const closed = scanner.scan(at);
  if (closed < 0 || closed > end) return false;
  const next = scanner.skipSpace(closed);
  return (next >= end || closed === end) && sink.scanned(scanner, closed - at);
}

function parseLine(line: string, sink: EventSink): void {
  if (line.length > LINE_LENGTH_MAX) {
    sink.fault({ code: "line_too_long", message: `${line.length} characters; a line takes ${LINE_LENGTH_MAX}` });
    return;
  }
  const parsed = tryParse(line, sink);
  if (parsed === undefined) sink.fault({ code: "malformed_json", message: "the line is not JSON" });
  else sink.value(parsed.value);
}

/** JSON as the sink reads it. */
export function tryParse(text: string, { parse }: Pick<EventSink, "parse">): { readonly value: unknown } | undefined {
  try {
    return { value: parse(text) };
  } catch {
    return undefined;
  }
}

/** The body is known to be UTF-8. A byte order mark within it is a character like any other. */
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
export const textOf = (bytes: Uint8Array, from: number, to: number) => decoder.decode(bytes.subarray(from, to));

export const malformedJson = (hint = ""): Problem => ({
  status: 400,
  code: "malformed_json",
  title: "The body is not JSON",
  detail: `Nothing was accepted.${hint}`,
  extensions: { parameter: "body" },
});

const unsupportedType: Problem = {
  status: 415,
  code: "unsupported_type",
  title: "Unknown Content-Type",
  detail:
    "Send Content-Type: application/json (an object or an array), application/x-ndjson (an object a line), application/cloudevents+json or application/cloudevents-batch+json.",
};

export const tooManyEvents = (count: string): Problem => ({
  status: 413,
  code: "too_many_events",
  title: "Too many events",
  detail: `A request takes ${EVENTS_PER_REQUEST_MAX} events and this one has ${count}; send it in several.`,
});
