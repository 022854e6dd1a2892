import { z } from "zod";

/** Every error body (RFC 9457); further members depend on `code`. */
export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: "Stable; what a program goes by." }),
    detail: z.string().optional().meta({ description: "What would be right, for people." }),
    parameter: z.string().optional().meta({ description: "The parameter or member at fault." }),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details" });

/** The statuses of each code, and when it is sent. */
export const PROBLEMS = {
  unauthorized: { statuses: [401], when: "No key, or one that is unknown, expired or revoked." },
  forbidden: { statuses: [403], when: "The key may not do this." },
  csrf: { statuses: [403], when: "A session's cookie without the proof that a page of ours asks." },
  merchant_not_allowed: { statuses: [403], when: "The source may not send for these merchants." },
  not_found: { statuses: [404], when: "Nothing answers at this path." },
  invalid_host: { statuses: [400], when: "There is no one `Host` that is a host's name." },
  method_not_allowed: { statuses: [405], when: "Another method answers here; `Allow` names it." },
  rate_limited: { statuses: [429], when: "Too many requests; `Retry-After` says when the next is taken." },
  internal_error: { statuses: [500], when: "A fault of ours. Retrying is safe." },
  directory_unavailable: { statuses: [503], when: "Keys cannot be checked right now. Nothing was done." },
  log_unavailable: {
    statuses: [503],
    when: "Events cannot be taken right now. Send all of them again: they are counted once.",
  },
  overloaded: {
    statuses: [503],
    when: "Too much is being sent at once. Nothing was taken; send all of it again after `Retry-After`.",
  },
  history_unavailable: { statuses: [503], when: "Spans of more than the last day cannot be read right now." },
  shard_unavailable: { statuses: [503], when: "Recent numbers cannot be read right now." },
  archive_unreadable: { statuses: [503], when: "Single events cannot be read right now; metrics can." },
  hour_not_compacted: {
    statuses: [422],
    when: "An hour has too much to be searched before it is sorted by merchant: ask for a span without it.",
  },
  hour_too_slow: {
    statuses: [503],
    when: "An hour was not searched in time, though it is sorted by merchant: ask again.",
  },
  hour_too_large: { statuses: [422], when: "An hour has too much to be searched: ask for a span without it." },
  too_many_searches: {
    statuses: [429, 503],
    when: "As many searches of the archive as may wait for their turn: of the merchant (429), or of all (503).",
  },
  too_many_listeners: { statuses: [503], when: "Too many live streams are open." },
  no_alerts: { statuses: [503], when: "This deployment has no alerts." },
  no_sessions: { statuses: [503], when: "This deployment has no sign-in." },

  unknown_parameter: { statuses: [400], when: "There is no such parameter; `detail` names those there are." },
  repeated_parameter: { statuses: [400], when: "A parameter stands there twice." },
  invalid_parameter: { statuses: [400], when: "A parameter has a value it cannot have." },
  invalid_time: { statuses: [400, 422], when: "A moment that cannot be read, or that no calendar shows." },
  invalid_currency: { statuses: [400], when: "Not ISO 4217 codes, or too many." },
  invalid_granularity: { statuses: [400], when: "Not one of the granularities." },
  invalid_compare: { statuses: [400], when: "Not one of the comparisons, or one that does not go with the span." },
  invalid_group_by: { statuses: [400], when: "Not one of the dimensions." },
  invalid_refunds_by: { statuses: [400], when: "Neither `refund` nor `sale`." },
  sales_too_long_ago: { statuses: [400], when: "Refunds by sale of a span, or a base, that begins too long ago." },
  too_many_refunds: { statuses: [400], when: "Refunds by sale of more refunds than an answer reads." },
  too_many_archive_hours: { statuses: [400], when: "Refunds by sale of more hours than an answer reads." },
  invalid_amounts: { statuses: [400], when: "Neither `true` nor `false`, or `true` for CSV." },
  invalid_format: { statuses: [400], when: "Neither `json` nor `csv`." },
  invalid_bom: { statuses: [400], when: "Neither `true` nor `false`." },
  invalid_limit: { statuses: [400], when: "Not a number of items that a page may have." },
  invalid_cursor: { statuses: [400], when: "Not a cursor of this list." },
  invalid_order: { statuses: [400], when: "Neither `newest` nor `oldest`." },
  invalid_type: { statuses: [400], when: "Neither `payment` nor `refund`." },
  invalid_value: { statuses: [400], when: "Not a value a dimension can have." },
  cursor_of_another_list: { statuses: [400], when: "The cursor came with other parameters." },
  invalid_kind: { statuses: [400], when: "Not a kind of key." },
  invalid_query: {
    statuses: [400],
    when: "An ad-hoc query that does not make sense; `parameter` is the member at fault.",
  },
  several_breakdowns: { statuses: [400], when: "More than one breakdown in a query." },
  metric_not_by_value: { statuses: [400], when: "A metric that is not counted by value." },
  mixed_currencies: { statuses: [400], when: "Money of several currencies would be compared." },
  unknown_zone: { statuses: [400], when: "Not an IANA time zone." },
  empty_range: { statuses: [400, 422], when: "`to` is not later than `from`." },
  span_too_long: { statuses: [400], when: "Longer than is kept." },
  too_many_buckets: {
    statuses: [400],
    when: "The span has too many buckets of this granularity; `detail` names one that fits.",
  },
  too_many_groups: { statuses: [400], when: "Too many values times buckets." },
  query_too_expensive: {
    statuses: [422],
    when: "The query went beyond its budget; `detail` says which and what would help.",
  },
  windows_gone: { statuses: [422], when: "Ten-minute windows of that time are not kept any more." },

  not_a_batch: { statuses: [400], when: "The body is no array, though its media type says a batch of CloudEvents." },
  not_an_event: { statuses: [400], when: "The body is an array, though its media type says a single CloudEvent." },
  malformed_json: { statuses: [400], when: "The body is not JSON." },
  malformed_gzip: { statuses: [400], when: "The body is not gzip." },
  malformed_text: { statuses: [400], when: "The body is not UTF-8." },
  unsupported_encoding: { statuses: [415], when: "An encoding other than gzip." },
  unsupported_type: { statuses: [415], when: "A media type that is not taken; `detail` names those that are." },
  malformed_body: { statuses: [400], when: "The body's length or its chunks are not what HTTP says of them." },
  body_too_slow: { statuses: [408], when: "The body did not arrive in time; nothing of it was taken." },
  body_too_large: { statuses: [413], when: "Larger than is taken." },
  too_many_events: { statuses: [413], when: "More events than a request may have." },
  all_rejected: { statuses: [422], when: "No event was accepted; each one's reason is in `errors`." },
  invalid_body: { statuses: [400, 422], when: "The body is not as it should be; `errors` names the members." },
  too_long: { statuses: [422], when: "Longer than a replay may be." },
  not_final: { statuses: [422], when: "The span's windows are their shards' to count yet." },
  not_on_a_window: { statuses: [422], when: "Not the start of a ten-minute window." },
  too_soon: { statuses: [422], when: "Not every isolate would know of it in time." },
  before_the_last: { statuses: [422], when: "Not after the last epoch." },
  override_out_of_range: { statuses: [422], when: "A merchant's shard that cannot be." },
  too_many_epochs: { statuses: [422], when: "As many epochs as a topology may have." },
  changed_meanwhile: { statuses: [409], when: "Somebody else did the same at the same time; look again." },
  already_expired: { statuses: [422], when: "`expires_at` is not in the future." },
  invalid_merchant_id: { statuses: [422], when: "Not an id a merchant can have." },
  invalid_webhook_url: { statuses: [422], when: "Notices cannot be sent there; `detail` says what would be right." },
  no_such_alert: { statuses: [404], when: "There is no such alert." },
  too_many_alerts: { statuses: [409], when: "As many alerts as one may have." },
  tested_just_now: {
    statuses: [429],
    when: "There was a test just now; `Retry-After` says when there may be another.",
  },
  no_such_key: { statuses: [404], when: "There is no such key." },
  no_such_merchant: { statuses: [404], when: "The directory has no such merchant." },
  no_such_source: { statuses: [404, 422], when: "There is no such source." },
  source_exists: { statuses: [409], when: "There is a source of that id." },
  too_many_keys: { statuses: [409], when: "As many keys as one may have." },
  key_ended: { statuses: [409], when: "The key is revoked or expired." },
  already_rotated: { statuses: [409], when: "The key was rotated before; `detail` names its successor." },
} as const satisfies Record<string, { readonly statuses: readonly number[]; readonly when: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** Of whatever a key is asked for. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  "unauthorized",
  "forbidden",
  "rate_limited",
  "internal_error",
  "directory_unavailable",
];

/** Of whatever has a body. */
export const BODY_PROBLEMS: readonly ProblemCode[] = ["malformed_body", "body_too_slow", "body_too_large"];
