import { z } from "zod";
import { DIMENSIONS } from "../../shared/breakdown.ts";
import { merchantSchema } from "../api/admin-merchants.ts";
import { eventsAnswerSchema } from "../api/events/events-schema.ts";
import { liveEventSchema } from "../api/live/live-schema.ts";
import { metricsAnswerSchema } from "../api/metrics-schema.ts";
import { merchantPath, parameterShapes } from "../api/parameters-schema.ts";
import { querySchema } from "../api/query-parameters.ts";
import { queryAnswerSchema } from "../api/query-schema.ts";
import { reportAnswerSchema } from "../api/report-schema.ts";
import type { OperationTable } from "./operation.ts";
import { BODY_PROBLEMS, type ProblemCode } from "./problems.ts";

const QUERY_PROBLEMS: readonly ProblemCode[] = ["not_found", "unknown_parameter", "repeated_parameter"];
const SPAN_PROBLEMS: readonly ProblemCode[] = [
  ...QUERY_PROBLEMS,
  ...(["unknown_zone", "invalid_time", "invalid_currency", "invalid_format", "invalid_bom"] as const),
  ...(["windows_gone", "history_unavailable", "shard_unavailable"] as const),
];

const { from, to, at, tz, currency, granularity, group_by, compare, refunds_by, amounts, format, bom, limit, cursor } =
  parameterShapes;
const dimensionFilters = Object.fromEntries(
  DIMENSIONS.map((dimension) => [
    dimension,
    z.string().meta({ description: "Events with this value; an empty one is of events without" }),
  ]),
);
const csv = (example: string) => ({ "text/csv": { example } });

export const READ_OPERATIONS: OperationTable = {
  "GET /healthz": {
    tag: "Read",
    id: "health",
    summary: "Whether the Worker answers",
    answers: {
      200: {
        description: "It does.",
        content: {
          "application/json": { schema: z.strictObject({ status: z.literal("ok"), service: z.string() }) },
        },
      },
    },
    problems: [],
  },
  "GET /v1/merchants/:merchant": {
    tag: "Read",
    id: "getMerchant",
    summary: "The merchant's name, zone and currency",
    path: merchantPath,
    answers: {
      200: { description: "As the directory has it.", content: { "application/json": { schema: merchantSchema } } },
    },
    problems: ["not_found", "no_such_merchant"],
  },
  "GET /v1/merchants/:merchant/report": {
    tag: "Read",
    id: "getReport",
    summary: "The report of one ten-minute window",
    path: merchantPath,
    query: z.object({ at, tz, currency, format, bom }).partial(),
    answers: {
      200: {
        description: "Of the window at a moment; of the latest closed one if none is named.",
        headers: ["ETag", "Cache-Control", "Cache-Status", "Tally-Notices"],
        content: { "application/json": { schema: reportAnswerSchema }, ...csv("start,end,currency,…\r\n") },
      },
      304: { description: "As `If-None-Match` says it is.", headers: ["ETag"] },
    },
    problems: SPAN_PROBLEMS,
  },
  "GET /v1/merchants/:merchant/metrics": {
    tag: "Read",
    id: "getMetrics",
    summary: "A series of reports and their total",
    description:
      "By ten minutes, hour, day, week or month of a time zone, from now to five years back. Empty buckets are there, with counts of 0 and averages of null. `compare` sets each figure beside an earlier span of the same elapsed time. With `refunds_by=sale` a refund stands where its sale does, so that a day's net is what its sales were worth in the end.",
    path: merchantPath,
    query: z
      .object({ from, to, granularity, tz, currency, group_by, compare, refunds_by, amounts, format, bom })
      .partial(),
    answers: {
      200: {
        description: "A series for each currency.",
        headers: ["ETag", "Cache-Control", "Cache-Status", "Tally-Notices"],
        content: { "application/json": { schema: metricsAnswerSchema }, ...csv("start,end,label,currency,…\r\n") },
      },
      304: { description: "As `If-None-Match` says it is.", headers: ["ETag"] },
    },
    problems: [
      ...SPAN_PROBLEMS,
      "invalid_granularity",
      "invalid_group_by",
      "invalid_compare",
      "invalid_amounts",
      "empty_range",
      "too_many_buckets",
      "too_many_groups",
      ...(["invalid_refunds_by", "sales_too_long_ago", "too_many_refunds", "too_many_archive_hours"] as const),
      ...(["archive_unreadable", "too_many_searches"] as const),
    ],
  },
  "POST /v1/merchants/:merchant/query": {
    tag: "Read",
    id: "query",
    summary: "An ad-hoc query",
    description:
      "Metrics by dimensions, filtered, ordered and limited, as data; it is compiled to one bound statement within a budget of time and memory. The answer says what it cost.",
    path: merchantPath,
    query: z.object({ format, bom }).partial(),
    body: { isRequired: true, content: { "application/json": { schema: querySchema } } },
    answers: {
      200: {
        description: "The rows.",
        headers: ["Cache-Status", "Tally-Notices"],
        content: { "application/json": { schema: queryAnswerSchema }, ...csv("currency,weekday,hour,…\r\n") },
      },
    },
    problems: [
      ...SPAN_PROBLEMS,
      "csrf",
      "malformed_json",
      ...BODY_PROBLEMS,
      "invalid_query",
      "several_breakdowns",
      "metric_not_by_value",
      "mixed_currencies",
      "empty_range",
      "span_too_long",
      "too_many_buckets",
      "query_too_expensive",
    ],
  },
  "GET /v1/merchants/:merchant/events": {
    tag: "Read",
    id: "listEvents",
    summary: "The payments and refunds behind a number",
    description:
      "From the archive, each once, as the numbers count them. A page ends where it is full, or has read as much as a page may: `next_cursor` goes on there, after `next_after_s` seconds.",
    path: merchantPath,
    query: z
      .object({
        ...{ from, to, tz, currency, limit, cursor, format, bom },
        type: z.enum(["payment", "refund"]),
        order: z.enum(["newest", "oldest"]),
        ...dimensionFilters,
      })
      .partial(),
    answers: {
      200: {
        description: "A page of them; as CSV all of them, streamed. Pages of final windows have a tag.",
        headers: ["ETag", "Cache-Control", "Cache-Status", "Tally-Notices"],
        content: { "application/json": { schema: eventsAnswerSchema }, ...csv("event_id,type,occurred_at,…\r\n") },
      },
      304: { description: "As `If-None-Match` says it is.", headers: ["ETag"] },
    },
    problems: [
      ...QUERY_PROBLEMS,
      ...([
        "unknown_zone",
        "invalid_time",
        "invalid_currency",
        "invalid_format",
        "invalid_bom",
        "empty_range",
      ] as const),
      ...(["invalid_limit", "invalid_cursor", "cursor_of_another_list", "invalid_order", "invalid_type"] as const),
      ...(["invalid_value", "archive_unreadable", "hour_not_compacted", "hour_too_slow", "hour_too_large"] as const),
      ...(["too_many_searches", "history_unavailable"] as const),
    ],
  },
  "GET /v1/merchants/:merchant/live": {
    tag: "Read",
    id: "streamLive",
    summary: "The open windows as they fill",
    description:
      "Server-sent events. `snapshot` has the open windows and the day so far; `window` a window that changed, opened or closed; `today` the day when something before them changed. Each says what is, never what was added, so a reader that missed some is right again with the next.",
    path: merchantPath,
    query: z.object({ tz, currency }).partial(),
    headers: z.object({
      "Last-Event-ID": z.string().optional().meta({ description: "What browsers send when they come again." }),
    }),
    answers: {
      200: {
        description: "A stream that goes on until either side ends it.",
        content: {
          "text/event-stream": {
            schema: liveEventSchema,
            example: 'event: window\ndata: {"as_of":"…","today":{…},"window":{…}}\nid: 1790000000000\n\n',
          },
        },
      },
    },
    problems: [
      ...QUERY_PROBLEMS,
      "unknown_zone",
      "invalid_currency",
      "history_unavailable",
      "shard_unavailable",
      "too_many_listeners",
    ],
  },
};
