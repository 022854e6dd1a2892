import type { EventFault } from "./accept-event.ts";
import { err, ok, type Result } from "./result.ts";
import { parseRfc3339 } from "./rfc3339.ts";

type Members = Readonly<Record<string, unknown>>;

/** A CloudEvent 1.0 that keeps to the specification: its context attributes, and its data, which was JSON. */
export interface CloudEvent {
  /** Required ones, optional ones and extensions, in one; `null` is as good as absent. */
  readonly attributes: Members;
  readonly data: unknown;
}

/**
 * Whether this is meant to be a CloudEvent, where its media type does not say so. A payment has `merchant_id`, which no attribute
 * can be called: it stays one whatever unknown fields it has.
 */
export function isCloudEvent(raw: unknown): raw is Members {
  if (!isObject(raw) || raw.specversion == null || raw.merchant_id != null) return false;
  return raw.data !== undefined || raw.data_base64 !== undefined;
}

/** A CloudEvent in the JSON format, or what keeps it from being one. `parse` reads JSON that comes as `data_base64`. */
export function readCloudEvent(
  raw: unknown,
  parse: (text: string) => unknown = JSON.parse,
): Result<CloudEvent, EventFault> {
  if (!isObject(raw)) return err({ code: "invalid_type", message: "a CloudEvent is a JSON object" });
  const { data: inPlace, data_base64, ...attributes } = raw;
  const fault = attributeFault(attributes);
  if (fault !== undefined) return err(fault);
  if (data_base64 == null) return ok({ attributes, data: inPlace });
  if (inPlace != null) return err(invalid("data_base64", "a CloudEvent has data or data_base64, not both"));
  const data = parseBase64(data_base64, parse);
  return data === undefined
    ? err(invalid("data_base64", "JSON as UTF-8 in base64"))
    : ok({ attributes, data: data.value });
}

/**
 * The payment of a CloudEvent: its data, to which `id`, `time` and `type` give what it lacks. Of a dotted type such as
 * `com.example.refund` the last part counts.
 */
export function paymentOf({ attributes, data }: CloudEvent): Result<Members, EventFault> {
  if (data == null) return err({ code: "missing_field", path: "data", message: "data, the payment, is required" });
  if (!isObject(data))
    return err({ code: "invalid_type", path: "data", message: "data is a JSON object, the payment" });
  const { id, time, type } = attributes;
  return ok({
    ...data,
    event_id: data.event_id ?? id,
    occurred_at: data.occurred_at ?? time ?? undefined,
    type: data.type ?? (typeof type === "string" ? type.split(".").at(-1) : undefined),
  });
}

/** CloudEvents 1.0.2, "Context Attributes": four are required and not empty; `time` is RFC 3339 if it is there. */
function attributeFault(attributes: Members): EventFault | undefined {
  const { specversion, time, datacontenttype } = attributes;
  for (const name of ["specversion", "id", "source", "type"]) {
    const value = attributes[name];
    if (value == null) return { code: "missing_field", path: name, message: `a CloudEvent has ${name}` };
    if (typeof value !== "string") return { code: "invalid_type", path: name, message: `${name} is a string` };
    if (value === "") return invalid(name, `${name} is not empty`);
  }
  if (specversion !== "1.0") return invalid("specversion", 'only CloudEvents "1.0" are read');
  if (time != null && (typeof time !== "string" || parseRfc3339(time) === undefined)) {
    return invalid("time", "RFC 3339 with offset such as 2026-03-29T10:00:00+02:00");
  }
  if (datacontenttype != null && (typeof datacontenttype !== "string" || !isJsonType(datacontenttype))) {
    return invalid("datacontenttype", "data is JSON: application/json, or a type that ends in +json");
  }
  return undefined;
}

/** Whether a media type, with or without parameters, is JSON (RFC 6839, section 3.1, for `+json`). */
export function isJsonType(mediaType: string): boolean {
  return /^\s*[^\s/;]+\/(?:[^\s/;]+\+)?json\s*(?:;|$)/i.test(mediaType);
}

function parseBase64(text: unknown, parse: (text: string) => unknown): { readonly value: unknown } | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return { value: parse(decoder.decode(bytes)) };
  } catch {
    return undefined;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const invalid = (path: string, message: string): EventFault => ({ code: "invalid_value", path, message });

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
