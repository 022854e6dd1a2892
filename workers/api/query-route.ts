import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Guarded } from "../access/guarded.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { FORMAT_PARAMETERS, parseFormat } from "./format.ts";
import type { MerchantHome } from "./merchant.ts";
import { readQuery } from "./parameters.ts";
import { presentQuery } from "./present-query.ts";
import { readQueryRows } from "./query.ts";
import { QueryTooExpensive, queryTooExpensive } from "./query-budget.ts";
import { queryCsv } from "./query-csv.ts";
import { parseQuery } from "./query-parameters.ts";

/** The largest query that makes sense has a filter of 128 values of 128 characters. */
const QUERY_BYTES_MAX = 65_536;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The query is too large",
  detail: `A query has ${QUERY_BYTES_MAX} bytes at most.`,
};

export const queryBodyLimit = bodyLimit({ maxSize: QUERY_BYTES_MAX, onError: () => problemResponse(tooLarge) });

/** Answers `POST /v1/merchants/{id}/query` for a merchant that the caller may read. */
export async function answerQuery(
  c: Context<Guarded<Env>>,
  merchantId: string,
  home: MerchantHome,
  nowMs: number,
): Promise<Response> {
  const given = readQuery(c.req.queries(), FORMAT_PARAMETERS);
  if (!given.ok) return problemResponse(given.error);
  const format = parseFormat(c, given.value);
  if (!format.ok) return problemResponse(format.error);
  const body: unknown = await c.req.json().catch(() => undefined);
  const parameters = parseQuery(body, home.timezone, nowMs);
  if (!parameters.ok) return problemResponse(parameters.error);
  try {
    const reading = await readQueryRows(c.env, merchantId, parameters.value, nowMs);
    return format.value.csv ? queryCsv(reading, format.value.byteOrderMark) : fresh(presentQuery(reading));
  } catch (error) {
    if (error instanceof QueryTooExpensive) return problemResponse(queryTooExpensive(error));
    throw error;
  }
}
