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
  let items: Result<readonly ParsedItem[], Problem>;
  if (JSON_TYPES.has(mediaType)) items = parseJson(text);
  else if (NDJSON.has(mediaType)) items = ok(parseLines(text));
  else items = err(unsupportedType);
  if (items.ok && items.value.length > EVENTS_PER_REQUEST_MAX) return err(tooManyEvents(items.value.length));
  return items;
}

function parseJson(text: string): Result<readonly ParsedItem[], Problem> {
  try {
    const json: unknown = JSON.parse(text);
    return ok((Array.isArray(json) ? json : [json]).map(ok));
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
}

function parseLines(text: string): ParsedItem[] {
  const items: ParsedItem[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    // Enough is enough: the caller refuses the request, so the rest need not be parsed.
    if (items.length > EVENTS_PER_REQUEST_MAX) break;
    items.push(parseLine(line));
  }
  return items;
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

const tooManyEvents = (count: number): Problem => ({
  status: 413,
  code: "too_many_events",
  title: "Too many events",
  detail: `A request takes ${EVENTS_PER_REQUEST_MAX} events and this one has ${count > EVENTS_PER_REQUEST_MAX + 1 ? count : "more"}; send it in several.`,
});
