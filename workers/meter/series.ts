/**
 * The counters and histograms that isolates keep of their own work: the one table of their names. A key of a series is the metric's name and the
 * values of its labels, joined by slashes; each value is one of those listed, so that there are never more series than stand here.
 */

/** Of a counter. Its unit, if it has one, ends its name. */
export interface CounterSpec {
  readonly help: string;
  /** By label, the values it may have; any other is counted as `other`. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export interface HistogramSpec extends CounterSpec {
  /** Upper bounds, ascending; the last bucket has none. */
  readonly bounds: readonly number[];
}

const QUEUES = ["tally-raw", "tally-windows"] as const;
const CALLERS = ["ingest", "log"] as const;

/** What calls of the api ask for: what a merchant's path goes on with, `merchant` where it ends with the id; `other` is no path of ours, or `healthz`. */
export const API_ROUTES = [
  "report",
  "metrics",
  "query",
  "events",
  "live",
  "merchant",
  "keys",
  "alerts",
  "session",
  "admin",
  "other",
] as const;
export type ApiRoute = (typeof API_ROUTES)[number];
/** Of these it is told how long they take, each by itself; of the rest together. */
export const TIMED_ROUTES = ["report", "metrics", "query", "events", "other"] as const satisfies readonly ApiRoute[];
export const STATUS_CLASSES = ["2xx", "3xx", "4xx", "5xx"] as const;

/** Why single events are rejected: the codes of `EventFault`. */
export const REJECTION_CODES = [
  "malformed_json",
  "line_too_long",
  "invalid_type",
  "invalid_value",
  "missing_field",
  "in_the_future",
  "too_old",
  "merchant_not_allowed",
  "no_mapping",
  "other",
] as const;

export const COUNTERS = {
  api_requests: {
    help: "Requests to the api by what they ask for and the class of the answer's status, hits of caches included.",
    labels: { route: API_ROUTES, status: STATUS_CLASSES },
  },
  ingest_requests: {
    help: "Requests to post events, by what became of them.",
    labels: { outcome: ["answered", "queued", "nothing_accepted", "malformed", "log_unavailable", "overloaded"] },
  },
  receipt_events: {
    help: "Events of requests, as receipts have them; a conflict is among the duplicates.",
    labels: { kind: ["accepted", "duplicates", "late", "queued", "rejected", "ignored"] },
  },
  rejected_events: { help: "Rejected events, by the code of their error.", labels: { code: REJECTION_CODES } },
  log_events: {
    help: "Events that the log's consumer brought to shards, by what they said. Counted before: by ingest, so not sent again. Unanswered ones come again.",
    labels: { outcome: ["accepted", "duplicate", "conflict", "late", "counted_before", "unanswered"] },
  },
  shard_calls: {
    help: "Calls that count events, by who made them and whether the shard answered in time.",
    labels: { caller: CALLERS, outcome: ["answered", "failed"] },
  },
  queue_messages: {
    help: "Deliveries of messages, by what became of them; those retried come again.",
    labels: { queue: QUEUES, outcome: ["acknowledged", "retried", "buried"] },
  },
  history_rows: { help: "Rows of windows inserted into ClickHouse.", labels: {} },
  history_inserts: { help: "Inserts into ClickHouse.", labels: { outcome: ["stored", "failed"] } },
  archive_objects: { help: "Objects of events written to the archive.", labels: {} },
  archive_bytes: { help: "Bytes of events written to the archive, compressed.", labels: {} },
} as const satisfies Readonly<Record<string, CounterSpec>>;

export const HISTOGRAMS = {
  api_request_seconds: {
    help: "From a request to the api to its answer's first byte.",
    labels: { route: TIMED_ROUTES },
    bounds: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  ingest_request_seconds: {
    help: "From a request's arrival to its receipt.",
    labels: {},
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  shard_call_seconds: {
    help: "How long a shard takes to count what it is sent, the way there and back included.",
    labels: { caller: CALLERS },
    bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  queue_message_age_seconds: {
    help: "How long ago a message was sent when it is delivered, in each of its deliveries.",
    labels: { queue: QUEUES },
    bounds: [1, 5, 10, 15, 30, 60, 300, 900, 3_600, 14_400],
  },
} as const satisfies Readonly<Record<string, HistogramSpec>>;

/** What is worst in a minute. */
export const PEAKS = {
  queue_age_ms: { help: "Age of the oldest message delivered.", labels: { queue: QUEUES } },
} as const satisfies Readonly<Record<string, CounterSpec>>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type PeakName = keyof typeof PEAKS;

/** Keys that were made before, by what they were asked for as: making one takes a microsecond, of which a request would pay dozens. */
const made = new Map<string, string>();
const MADE_MAX = 1_000;

/** The key of a series. Values are in the order of the metric's labels. */
export function seriesKey(name: string, spec: CounterSpec, values: readonly string[]): string {
  const asked = values.length === 0 ? name : `${name}/${values.join("/")}`;
  const known = made.get(asked);
  if (known !== undefined) return known;
  const key = makeKey(name, spec, values);
  if (made.size < MADE_MAX) made.set(asked, key);
  return key;
}

function makeKey(name: string, spec: CounterSpec, values: readonly string[]): string {
  const known = Object.values(spec.labels).map((allowed, at) => {
    const value = values[at] ?? "";
    return allowed.includes(value) ? value : "other";
  });
  return [name, ...known].join("/");
}
