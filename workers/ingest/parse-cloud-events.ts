import { isJsonType } from "../../shared/cloud-event.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Problem } from "../http/problem.ts";
import { EVENTS_PER_REQUEST_MAX } from "./limits.ts";
import {
  afterByteOrderMark,
  type EventSink,
  malformedJson,
  mediaTypeOf,
  textOf,
  tooManyEvents,
  tryParse,
} from "./parse-events.ts";

/** How a request carries CloudEvents (HTTP Protocol Binding for CloudEvents 1.0.2, section 3). */
export type ContentMode = "structured" | "batched" | "binary";

const STRUCTURED = "application/cloudevents+json";
const BATCHED = "application/cloudevents-batch+json";
/** The required attributes: one of them is enough to see that the others were forgotten. */
const REQUIRED_HEADERS = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

/** The mode of a request, `undefined` when it is none of CloudEvents. The media type decides; only then do headers. */
export function contentModeOf(headers: Headers): ContentMode | undefined {
  const mediaType = mediaTypeOf(headers.get("Content-Type"));
  if (mediaType === STRUCTURED) return "structured";
  if (mediaType === BATCHED) return "batched";
  return REQUIRED_HEADERS.some((name) => headers.has(name)) ? "binary" : undefined;
}

/** Reads the CloudEvents of a body, which is UTF-8. What is wrong with one of a batch spoils none of the others. */
export function readCloudEvents<Sink extends EventSink>(
  bytes: Uint8Array,
  headers: Headers,
  mode: ContentMode,
  sink: Sink,
): Result<Sink, Problem> {
  if (mode === "binary") return readBinary(bytes, headers, sink);
  const parsed = tryParse(textOf(bytes, afterByteOrderMark(bytes), bytes.length), sink);
  if (parsed === undefined) return err(malformedJson());
  if (mode === "structured") return readOne(parsed.value, sink);
  if (!Array.isArray(parsed.value)) return err(notABatch);
  if (parsed.value.length > EVENTS_PER_REQUEST_MAX) return err(tooManyEvents(String(parsed.value.length)));
  for (const raw of parsed.value) sink.cloudEvent(raw);
  return ok(sink);
}

function readOne<Sink extends EventSink>(raw: unknown, sink: Sink): Result<Sink, Problem> {
  if (Array.isArray(raw)) return err(notAnEvent);
  sink.cloudEvent(raw);
  return ok(sink);
}

/** Attributes are headers, `datacontenttype` is `Content-Type`, and the body is the data as it is. */
function readBinary<Sink extends EventSink>(bytes: Uint8Array, headers: Headers, sink: Sink): Result<Sink, Problem> {
  const contentType = headers.get("Content-Type");
  if (contentType !== null && !isJsonType(contentType)) return err(notJson);
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of headers) {
    if (!name.startsWith("ce-")) continue;
    const decoded = decodeHeader(value);
    if (decoded === undefined) return notDecoded(name.slice("ce-".length), sink);
    attributes[name.slice("ce-".length)] = decoded;
  }
  // A header called `ce-data` is no attribute: the body is the data.
  const { data: _, data_base64: __, ...event } = attributes;
  if (bytes.length === 0) {
    sink.cloudEvent(event);
    return ok(sink);
  }
  const parsed = tryParse(textOf(bytes, afterByteOrderMark(bytes), bytes.length), sink);
  if (parsed === undefined) return err(malformedJson());
  sink.cloudEvent({ ...event, data: parsed.value });
  return ok(sink);
}

/**
 * The value of a `ce-` header (section 3.1.3.2): first a quoted string is unquoted, as earlier senders wrote them, then one round of
 * percent-decoding gives UTF-8. `undefined` when that is none.
 */
export function decodeHeader(value: string): string | undefined {
  const text = /^"(?:[^"\\]|\\.)*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
  try {
    // Only `%` and two digits are an escape; any other `%` stands for itself.
    return decodeURIComponent(text.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
  } catch {
    return undefined;
  }
}

function notDecoded<Sink extends EventSink>(attribute: string, sink: Sink): Result<Sink, Problem> {
  sink.fault({ code: "invalid_value", path: attribute, message: "UTF-8, percent-encoded" });
  return ok(sink);
}

const notABatch: Problem = {
  status: 400,
  code: "not_a_batch",
  title: "The body is not a batch of CloudEvents",
  detail: `With Content-Type: ${BATCHED} the body is a JSON array; a single event is ${STRUCTURED}.`,
};

const notAnEvent: Problem = {
  status: 400,
  code: "not_an_event",
  title: "The body is not a CloudEvent",
  detail: `With Content-Type: ${STRUCTURED} the body is one JSON object; an array of them is ${BATCHED}.`,
};

const notJson: Problem = {
  status: 415,
  code: "unsupported_type",
  title: "Unknown Content-Type",
  detail: "The data of a CloudEvent is a payment in JSON: send Content-Type: application/json.",
};
