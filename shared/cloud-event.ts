/**
 * The payment of a CloudEvent 1.0 in JSON: its `data`, to which `id`, `time` and `type` give what it lacks. Of a dotted type such as
 * `com.example.refund` the last part counts. Anything that is no CloudEvent comes back as it was.
 */
export function fromCloudEvent(raw: unknown): unknown {
  if (!isObject(raw) || typeof raw.specversion !== "string" || !isObject(raw.data)) return raw;
  const { data } = raw;
  return {
    ...data,
    event_id: data.event_id ?? raw.id,
    occurred_at: data.occurred_at ?? raw.time,
    type: data.type ?? (typeof raw.type === "string" ? raw.type.split(".").at(-1) : undefined),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
