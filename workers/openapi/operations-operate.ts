import { z } from "zod";
import { merchantSchema, merchantsSchema, putMerchantSchema } from "../api/admin-merchants.ts";
import { discardRequestSchema, redriveRequestSchema } from "../api/dead-letters.ts";
import { erasureRequestSchema, erasureSchema, erasuresSchema } from "../api/erasures.ts";
import { logFilters, logSchema } from "../api/log-schema.ts";
import {
  auditSchema,
  begunReplaySchema,
  deadLettersSchema,
  discardedSchema,
  epochSchema,
  epochsSchema,
  redrivenSchema,
  replaySchema,
  replaysSchema,
} from "../api/operate-schema.ts";
import { merchantPath, parameterShapes } from "../api/parameters-schema.ts";
import { replayRequestSchema } from "../api/replays.ts";
import { newSourceSchema, sourceChangeSchema, sourceSchema, sourcesSchema } from "../api/source-schema.ts";
import { epochRequestSchema } from "../api/topology.ts";
import { HEALTH_EXAMPLE } from "../health/health-example.ts";
import { healthSchema } from "../health/health-schema.ts";
import type { OperationTable } from "./operation.ts";
import { BODY_PROBLEMS, type ProblemCode } from "./problems.ts";

const { limit, cursor, from, to } = parameterShapes;
const page = z.object({ limit, cursor }).partial();
const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const body = (schema: z.ZodType, isRequired = true) => ({ isRequired, content: json(schema) });
const ok = (description: string, schema: z.ZodType) => ({ 200: { description, content: json(schema) } });

const QUERY: readonly ProblemCode[] = ["unknown_parameter", "repeated_parameter"];
const PAGE: readonly ProblemCode[] = [...QUERY, "invalid_limit", "invalid_cursor"];
const CHANGE: readonly ProblemCode[] = ["csrf", "malformed_json", ...BODY_PROBLEMS, "invalid_body"];

const METRICS_EXAMPLE = `# TYPE tally_freshness_seconds gauge
# UNIT tally_freshness_seconds seconds
# HELP tally_freshness_seconds How long ago windows ended that history has all of.
tally_freshness_seconds 425.1
# TYPE tally_receipt_events counter
# HELP tally_receipt_events Events of requests, as receipts have them; a conflict is among the duplicates.
tally_receipt_events_total{kind="accepted"} 1204331
tally_receipt_events_total{kind="duplicates"} 88
# EOF
`;

const sourcePath = z.object({ source: z.string().meta({ examples: ["app-tokyo"] }) });
const replayPath = z.object({ id: z.string() });
const erasurePath = replayPath;

export const OPERATE_OPERATIONS: OperationTable = {
  "GET /v1/admin/sources": {
    tag: "Operate",
    id: "listSources",
    summary: "Who may send events",
    query: page,
    answers: ok("By id.", sourcesSchema),
    problems: PAGE,
  },
  "POST /v1/admin/sources": {
    tag: "Operate",
    id: "createSource",
    summary: "Add a source",
    body: body(newSourceSchema),
    answers: {
      201: { description: "The source. It sends by a key of its own: create one.", content: json(sourceSchema) },
    },
    problems: [...CHANGE, "source_exists"],
  },
  "GET /v1/admin/sources/:source": {
    tag: "Operate",
    id: "getSource",
    summary: "One source",
    path: sourcePath,
    answers: ok("As it stands.", sourceSchema),
    problems: ["no_such_source"],
  },
  "PATCH /v1/admin/sources/:source": {
    tag: "Operate",
    id: "changeSource",
    summary: "Change a source; what is left out stays",
    path: sourcePath,
    body: body(sourceChangeSchema),
    answers: ok("As it stands now; an isolate may go by the old one for a minute yet.", sourceSchema),
    problems: [...CHANGE, "no_such_source"],
  },
  "GET /v1/admin/merchants": {
    tag: "Operate",
    id: "listMerchants",
    summary: "Merchants",
    query: page.extend({ q: parameterShapes.q.optional() }),
    answers: ok("By id.", merchantsSchema),
    problems: [...PAGE, "invalid_parameter"],
  },
  "GET /v1/admin/merchants/:merchant": {
    tag: "Operate",
    id: "getMerchantAsOperator",
    summary: "One merchant",
    path: merchantPath,
    answers: ok("As the directory has it.", merchantSchema),
    problems: ["no_such_merchant"],
  },
  "PUT /v1/admin/merchants/:merchant": {
    tag: "Operate",
    id: "putMerchant",
    summary: "Add a merchant, or change its name, zone and currency",
    path: merchantPath,
    body: body(putMerchantSchema),
    answers: {
      ...ok("It was there.", merchantSchema),
      201: { description: "It was added.", content: json(merchantSchema) },
    },
    problems: [...CHANGE, "invalid_merchant_id"],
  },
  "GET /v1/admin/log": {
    tag: "Operate",
    id: "listLog",
    summary: "Who did what",
    description: "Each look at this list is a call as well: `methods=POST,PUT,PATCH,DELETE` leaves reading out.",
    query: page.extend(logFilters),
    answers: ok("The newest first.", logSchema),
    problems: [...PAGE, "invalid_parameter"],
  },
  "GET /v1/admin/dead-letters": {
    tag: "Operate",
    id: "listDeadLetters",
    summary: "Messages their consumers gave up on",
    query: page,
    answers: ok("The newest first; those that were put back or discarded are not among them.", deadLettersSchema),
    problems: PAGE,
  },
  "POST /v1/admin/dead-letters/redrive": {
    tag: "Operate",
    id: "redriveDeadLetters",
    summary: "Put dead letters back on their queues",
    body: body(redriveRequestSchema),
    answers: ok("Which were, and which could not be.", redrivenSchema),
    problems: CHANGE,
  },
  "POST /v1/admin/dead-letters/discard": {
    tag: "Operate",
    id: "discardDeadLetters",
    summary: "Remove dead letters that nobody needs",
    description:
      "For good: of windows, and of messages of the log that cannot be read. One that has events which were accepted is left, and told among `failed`.",
    body: body(discardRequestSchema),
    answers: ok("Which were, and which were not.", discardedSchema),
    problems: CHANGE,
  },
  "GET /v1/admin/topology": {
    tag: "Operate",
    id: "listEpochs",
    summary: "How merchants are spread over shards",
    query: page,
    answers: ok("Epochs, the oldest first.", epochsSchema),
    problems: PAGE,
  },
  "POST /v1/admin/topology": {
    tag: "Operate",
    id: "createEpoch",
    summary: "Spread merchants otherwise from a window on",
    body: body(epochRequestSchema),
    answers: { 201: { description: "The epoch.", content: json(epochSchema) } },
    problems: [
      ...CHANGE,
      "not_on_a_window",
      "too_soon",
      "before_the_last",
      "override_out_of_range",
      "too_many_epochs",
      "changed_meanwhile",
    ],
  },
  "GET /v1/admin/audit": {
    tag: "Operate",
    id: "getAudit",
    summary: "Whether the archive, the shards and history say the same",
    description: "Every hour is compared once it is final, and healed where it differs.",
    query: z.object({ from, to }).partial(),
    answers: ok("What was found, and what was done about it.", auditSchema),
    problems: [...QUERY, "invalid_time", "empty_range"],
  },
  "GET /v1/admin/health": {
    tag: "Operate",
    id: "getHealth",
    summary: "How the pipeline is",
    description:
      "Answers `200` whatever is down, within some seconds: of each part a verdict, why, and its numbers. What nobody could tell is `null`. Not in the log of calls.",
    answers: {
      200: {
        description: "Now.",
        content: { "application/json": { schema: healthSchema, example: HEALTH_EXAMPLE } },
      },
    },
    problems: [],
  },
  "GET /v1/admin/metrics": {
    tag: "Operate",
    id: "getPipelineMetrics",
    summary: "The same for a scraper",
    description:
      "OpenMetrics 1.0 text, whatever `Accept` says; Prometheus scrapes it with an operator's key as its bearer token. Counters are of all isolates together. Not in the log of calls.",
    answers: {
      200: {
        description: "Each metric stands in docs/operations.md.",
        content: { "application/openmetrics-text": { example: METRICS_EXAMPLE } },
      },
    },
    problems: [],
  },
  "GET /v1/admin/replays": {
    tag: "Operate",
    id: "listReplays",
    summary: "Replays",
    query: page,
    answers: ok("The newest first.", replaysSchema),
    problems: PAGE,
  },
  "POST /v1/admin/replays": {
    tag: "Operate",
    id: "beginReplay",
    summary: "Count windows anew from the archive",
    description:
      "Compares them with history, and unless it is a dry run writes what differs. Doing it twice, or after being cut off, ends in the same state.",
    body: body(replayRequestSchema),
    answers: { 202: { description: "It runs.", content: json(begunReplaySchema) } },
    problems: [...CHANGE, "invalid_time", "empty_range", "too_long", "not_final"],
  },
  "GET /v1/admin/replays/:id": {
    tag: "Operate",
    id: "getReplay",
    summary: "What a replay has found so far",
    path: replayPath,
    answers: ok("With the windows that differ.", replaySchema),
    problems: ["not_found"],
  },
  "DELETE /v1/admin/replays/:id": {
    tag: "Operate",
    id: "endReplay",
    summary: "End a replay; what it has written stays",
    path: replayPath,
    answers: { 204: { description: "It ends with the pass it is at." } },
    problems: ["csrf", "not_found"],
  },
  "GET /v1/admin/erasures": {
    tag: "Operate",
    id: "listErasures",
    summary: "Users that were, or are being, taken out of the archive",
    query: page,
    answers: ok("The newest first.", erasuresSchema),
    problems: PAGE,
  },
  "POST /v1/admin/erasures": {
    tag: "Operate",
    id: "eraseUsers",
    summary: "Take users out of the archive",
    description:
      "Their events stay, as those of nobody in particular, and every number stays what it is. Doing it twice, or after being cut off, ends in the same state.",
    body: body(erasureRequestSchema),
    answers: { 202: { description: "It runs.", content: json(erasureSchema) } },
    problems: [...CHANGE, "invalid_time"],
  },
  "GET /v1/admin/erasures/:id": {
    tag: "Operate",
    id: "getErasure",
    summary: "How far an erasure is",
    path: erasurePath,
    answers: ok("As it stands.", erasureSchema),
    problems: ["not_found"],
  },
};
