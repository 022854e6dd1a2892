import { z } from "zod";
import { DIMENSIONS, type Dimension } from "../../shared/breakdown.ts";
import { isCurrency } from "../../shared/iso-codes.ts";
import { byDimension } from "../../shared/report.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { DAY_MS } from "../../shared/window.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";
import type { Bucket } from "./calendar.ts";
import { GRANULARITIES } from "./calendar-unit.ts";
import { FIGURES, type Figure, MONEY_FIGURES } from "./figure-names.ts";
import {
  CURRENCIES_MAX,
  cutSeries,
  endOfSpan,
  parseGranularity,
  parseMoment,
  parseZoneParameter,
} from "./parameters.ts";

/** Rows of an answer: unless told, and at the most. */
export const QUERY_ROWS_DEFAULT = 1_000;
export const QUERY_ROWS_MAX = 10_000;
/** As long as history is kept, and a month to be generous at its ends. */
export const QUERY_SPAN_DAYS_MAX = 1_890;
const FILTER_VALUES_MAX = 128;
const FILTER_VALUE_LENGTH_MAX = 128;
const HAVING_MAX = 10;

/** What rows can be told apart by, beside the currency, which they always are. */
export const QUERY_DIMENSIONS = ["time", "weekday", "hour", "currency", ...DIMENSIONS] as const;
export type QueryDimension = (typeof QUERY_DIMENSIONS)[number];

/** Of payments by value no more is counted than how many, and how much. */
export const FIGURES_BY_VALUE: ReadonlySet<Figure> = new Set<Figure>(["payments.count", "payments.amount", "average"]);

const value = z.string().min(1).max(FILTER_VALUE_LENGTH_MAX);
const values = z.array(value).min(1).max(FILTER_VALUES_MAX);
const valueFilter = z.union(
  [z.strictObject({ eq: value }), z.strictObject({ in: values }), z.strictObject({ not_in: values })],
  `one of {"eq": value}, {"in": [values]}, {"not_in": [values]}, of up to ${FILTER_VALUES_MAX} values`,
);
/** Epoch milliseconds may be a number, as they are in an event. */
const moment = z.union([z.string().max(64), z.int().transform(String)], "a moment, as from and to of metrics");
const currency = z
  .string()
  .transform((code) => code.toUpperCase())
  .refine(isCurrency, "an ISO 4217 code, such as JPY");

/** The body of `POST /v1/merchants/{id}/query`. */
export const querySchema = z
  .strictObject({
    from: moment.default("today").meta({ description: "As in metrics", examples: ["2026-03-01"] }),
    to: moment.default("now"),
    tz: z.string().max(64).optional().meta({ description: "IANA zone or offset; the merchant's own if left out" }),
    metrics: z.array(z.enum(FIGURES)).min(1).max(FIGURES.length),
    dimensions: z.array(z.enum(QUERY_DIMENSIONS)).max(QUERY_DIMENSIONS.length).default([]).meta({
      description:
        "What rows are told apart by: of the breakdowns one at most. Rows are of one currency each in any case.",
    }),
    granularity: z.enum(GRANULARITIES).optional().meta({ description: "Of the dimension `time`" }),
    where: z
      .strictObject({
        currency: z.union(
          [currency, z.array(currency).min(1).max(CURRENCIES_MAX)],
          `up to ${CURRENCIES_MAX} ISO 4217 codes`,
        ),
        ...byDimension(() => valueFilter),
      })
      .partial()
      .default({})
      .meta({ examples: [{ currency: "JPY", payment_method: { in: ["card", "qr"] } }] }),
    having: z
      .array(
        z.strictObject({
          metric: z.enum(FIGURES),
          op: z.enum(["eq", "ne", "lt", "lte", "gt", "gte"]),
          value: z.number(),
        }),
      )
      .max(HAVING_MAX)
      .default([])
      .meta({ description: "Rows that stay, by metrics asked for. What is null is compared with nothing, and goes." }),
    order: z
      .array(
        z.strictObject({
          by: z.enum([...FIGURES, ...QUERY_DIMENSIONS]),
          direction: z.enum(["asc", "desc"]).default("asc"),
        }),
      )
      .max(QUERY_DIMENSIONS.length)
      .default([]),
    limit: z.int().min(1).max(QUERY_ROWS_MAX).default(QUERY_ROWS_DEFAULT),
  })
  .meta({
    description: "An ad-hoc query of a merchant's windows",
    examples: [
      {
        from: "2026-03-01",
        to: "2026-04-01",
        metrics: ["payments.count", "payments.amount"],
        dimensions: ["weekday", "hour"],
        where: { currency: "JPY" },
      },
    ],
  });
type QueryBody = z.output<typeof querySchema>;

export interface ValueFilter {
  readonly values: ReadonlySet<string>;
  /** Whether what has one of the values stays, or goes. */
  readonly keeps: boolean;
}

export interface QueryParameters extends Pick<QueryBody, "metrics" | "having" | "order" | "limit"> {
  readonly zone: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether no boundary of the calendar had to be moved to a window. */
  readonly exact: boolean;
  readonly dimensions: ReadonlySet<QueryDimension>;
  /** With the dimension `time`. */
  readonly buckets: readonly Bucket[] | undefined;
  /** Where the zone's days begin, with the dimensions `weekday` and `hour`. */
  readonly days: readonly Bucket[] | undefined;
  /** The one breakdown that rows are told apart or filtered by. */
  readonly breakdown: { readonly dimension: Dimension; readonly filter: ValueFilter | undefined } | undefined;
  /** Empty for all. */
  readonly currencies: readonly string[];
}

/** `undefined` stands for a body that is no JSON. */
export function parseQuery(body: unknown, homeZone: string, nowMs: number): Result<QueryParameters, Problem> {
  if (body === undefined)
    return err(
      invalidParameter("body", "malformed_json", 'Send a JSON object, such as {"metrics": ["payments.amount"]}.'),
    );
  const parsed = querySchema.safeParse(body);
  if (!parsed.success) return err(bodyProblem(parsed.error));
  const query = parsed.data;
  const breakdown = breakdownOf(query);
  if (!breakdown.ok) return breakdown;
  const wrong = contradiction(query, breakdown.value !== undefined);
  if (wrong !== undefined) return err(wrong);
  const span = spanOf(query, homeZone, nowMs);
  if (!span.ok) return span;
  const { metrics, dimensions, having, order, limit } = query;
  const currencies = currenciesOf(query);
  return ok({
    ...span.value,
    metrics,
    dimensions: new Set(dimensions),
    having,
    order,
    limit,
    breakdown: breakdown.value,
    currencies,
  });
}

/** A query that has been parsed, in one form: what is meant by its words, in the order of the schema. */
export function canonicalQuery(body: unknown, { fromMs, toMs, zone }: QueryParameters): string {
  return JSON.stringify({ ...querySchema.parse(body), from: fromMs, to: toMs, tz: zone });
}

function bodyProblem({ issues: [issue] }: z.ZodError): Problem {
  const path = issue?.path.join(".") ?? "";
  if (issue?.code === "unrecognized_keys") {
    const parameter = [...issue.path, issue.keys[0] ?? ""].join(".").slice(0, 64);
    return invalidParameter(
      parameter,
      "unknown_parameter",
      "There is no such member. GET /openapi.json describes the query.",
    );
  }
  return invalidParameter(path === "" ? "body" : path, "invalid_query", issue?.message ?? "The query is not one.");
}

type Breakdown = QueryParameters["breakdown"];

function breakdownOf({ dimensions, where }: QueryBody): Result<Breakdown, Problem> {
  const used = DIMENSIONS.filter((dimension) => dimensions.includes(dimension) || where[dimension] !== undefined);
  const [dimension] = used;
  if (used.length > 1) {
    const detail = `${used.join(" and ")}: payments are counted by one of them at a time. Leave one, or ask twice.`;
    return err(invalidParameter("dimensions", "several_breakdowns", detail));
  }
  return ok(dimension && { dimension, filter: filterOf(where[dimension]) });
}

function filterOf(filter: z.output<typeof valueFilter> | undefined): ValueFilter | undefined {
  if (filter === undefined) return undefined;
  if ("not_in" in filter) return { values: new Set(filter.not_in), keeps: false };
  return { values: new Set("eq" in filter ? [filter.eq] : filter.in), keeps: true };
}

/** What the schema cannot say: members that do not go together. */
function contradiction(query: QueryBody, isByValue: boolean): Problem | undefined {
  const { metrics, dimensions, granularity, having, order } = query;
  const notByValue = isByValue ? metrics.findIndex((metric) => !FIGURES_BY_VALUE.has(metric)) : -1;
  if (notByValue >= 0) {
    const detail = `By value there are ${[...FIGURES_BY_VALUE].join(", ")} only: no ${metrics[notByValue]}.`;
    return invalidParameter(`metrics.${notByValue}`, "metric_not_by_value", detail);
  }
  const twice = (of: readonly string[]) => of.findIndex((name, at) => of.indexOf(name) < at);
  if (twice(metrics) >= 0) return invalidParameter(`metrics.${twice(metrics)}`, "invalid_query", "Name it once.");
  if (twice(dimensions) >= 0)
    return invalidParameter(`dimensions.${twice(dimensions)}`, "invalid_query", "Name it once.");
  if (granularity !== undefined && !dimensions.includes("time")) {
    return invalidParameter(
      "granularity",
      "invalid_query",
      'It is of the dimension "time", which is not among the dimensions.',
    );
  }
  const strangers = having.findIndex(({ metric }) => !metrics.includes(metric));
  if (strangers >= 0)
    return invalidParameter(`having.${strangers}.metric`, "invalid_query", "One of the metrics asked for.");
  const unasked = order.findIndex(({ by }) => ![...metrics, ...dimensions, "currency"].includes(by));
  if (unasked >= 0) {
    return invalidParameter(
      `order.${unasked}.by`,
      "invalid_query",
      "One of the metrics and dimensions asked for, or currency.",
    );
  }
  return mixedCurrencies(query);
}

/** An amount of yen is not more or less than one of dollars. */
function mixedCurrencies(query: QueryBody): Problem | undefined {
  if (currenciesOf(query).length === 1) return undefined;
  const detail =
    'Amounts of several currencies do not compare: name one in where.currency, or order by "currency" first.';
  const { having, order } = query;
  const limited = having.findIndex(({ metric }) => isMoney(metric));
  if (limited >= 0) return invalidParameter(`having.${limited}.metric`, "mixed_currencies", detail);
  const ordered = order.findIndex(({ by }) => isMoney(by));
  const first = order.findIndex(({ by }) => by === "currency");
  if (ordered < 0 || (first >= 0 && first < ordered)) return undefined;
  return invalidParameter(`order.${ordered}.by`, "mixed_currencies", detail);
}

const isMoney = (name: string) => (MONEY_FIGURES as ReadonlySet<string>).has(name);

function currenciesOf({ where: { currency } }: QueryBody): readonly string[] {
  return [...new Set(typeof currency === "string" ? [currency] : (currency ?? []))];
}

function spanOf(query: QueryBody, homeZone: string, nowMs: number) {
  const zone = parseZoneParameter(query.tz, homeZone);
  if (!zone.ok) return zone;
  const from = parseMoment("from", query.from, zone.value, nowMs);
  if (!from.ok) return from;
  const to = parseMoment("to", query.to, zone.value, nowMs);
  if (!to.ok) return to;
  const ends = endOfSpan(from.value, to.value, query.to);
  if (!ends.ok) return ends;
  const range = { fromMs: from.value, toMs: to.value, zone: zone.value };
  if (range.toMs - range.fromMs > QUERY_SPAN_DAYS_MAX * DAY_MS) {
    return err(invalidParameter("from", "span_too_long", `A query spans ${QUERY_SPAN_DAYS_MAX} days at most.`));
  }
  const { dimensions } = query;
  const hasTime = dimensions.includes("time");
  const granularity = parseGranularity(query.granularity, range.toMs - range.fromMs);
  if (!granularity.ok) return granularity;
  const series = cutSeries({ ...range, granularity: hasTime ? granularity.value : "1mo" });
  if (!series.ok) return series;
  const needsDays = dimensions.includes("weekday") || dimensions.includes("hour");
  const days = needsDays ? cutSeries({ ...range, granularity: "1d" }) : undefined;
  if (days?.ok === false) return days;
  const { fromMs, toMs, exact, buckets } = series.value;
  return ok({
    zone: zone.value,
    fromMs,
    toMs,
    exact: exact && (days?.value.exact ?? true),
    buckets: hasTime ? buckets : undefined,
    days: days?.value.buckets,
  });
}
