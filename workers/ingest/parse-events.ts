import type { EventFault } from "../../shared/accept-event.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Problem } from "../http/problem.ts";
import { EVENTS_PER_REQUEST_MAX, LINE_LENGTH_MAX } from "./limits.ts";

/** One event as it was sent, or why it cannot even be read. */
export type ParsedItem = Result<unknown, EventFault>;

const NDJSON = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]);
const JSON_TYPES = new Set(["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"]);

/** The events of a body: a JSON object, a JSON array, or one JSON object a line. An item's position is its index in the receipt. */
export function parseEvents(text: string, contentType: string | null): Result<readonly ParsedItem[], Problem> {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (JSON_TYPES.has(mediaType)) return parseJson(text);
  return NDJSON.has(mediaType) ? parseLines(text) : err(unsupportedType);
}

function parseJson(text: string): Result<readonly ParsedItem[], Problem> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const hint =
      text.trimStart().startsWith("{") && text.includes("\n") ? " One object a line is application/x-ndjson." : "";
    return err({
      status: 400,
      code: "malformed_json",
      title: "The body is not JSON",
      detail: `Nothing was accepted.${hint}`,
    });
  }
  const values: readonly unknown[] = Array.isArray(json) ? json : [json];
  if (values.length > EVENTS_PER_REQUEST_MAX) return err(tooManyEvents(String(values.length)));
  return ok(values.map(ok));
}

function parseLines(text: string): Result<readonly ParsedItem[], Problem> {
  const items: ParsedItem[] = [];
  for (const line of linesOf(text)) {
    if (line.trim() === "") continue;
    // The request is refused, so the rest need not be parsed.
    if (items.length === EVENTS_PER_REQUEST_MAX) return err(tooManyEvents("more"));
    items.push(parseLine(line));
  }
  return ok(items);
}

/** One line at a time: a body of nothing but line feeds would be ten million strings. */
function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    yield text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
  }
}

function parseLine(line: string): ParsedItem {
  if (line.length > LINE_LENGTH_MAX) {
    return err({ code: "line_too_long", message: `${line.length} characters; a line takes ${LINE_LENGTH_MAX}` });
  }
  try {
    return ok(JSON.parse(line));
  } catch {
    return err({ code: "malformed_json", message: "the line is not JSON" });
  }
}

const unsupportedType: Problem = {
  status: 415,
  code: "unsupported_type",
  title: "Unknown Content-Type",
  detail: "Send Content-Type: application/json (an object or an array) or application/x-ndjson (an object a line).",
};

const tooManyEvents = (count: string): Problem => ({
  status: 413,
  code: "too_many_events",
  title: "Too many events",
  detail: `A request takes ${EVENTS_PER_REQUEST_MAX} events and this one has ${count}; send it in several.`,
});
