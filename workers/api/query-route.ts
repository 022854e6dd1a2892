import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { asJson, asTable, inWords } from "./cache/in-format.ts";
import { bytesOf, tagOf } from "./cache/kept-answer.ts";
import { type Answer, type LongTable, type Question, questionKey } from "./cache/question.ts";
import type { Env } from "./env.ts";
import { type AnswerFormat, FORMAT_PARAMETERS, parseFormat } from "./format.ts";
import { loadHome } from "./merchant.ts";
import { readQuery } from "./parameters.ts";
import { presentQuery } from "./present-query.ts";
import { readQueryRows } from "./query.ts";
import { QueryTooExpensive, queryTooExpensive } from "./query-budget.ts";
import { queryCsv } from "./query-csv.ts";
import { canonicalQuery, parseQuery, type QueryParameters } from "./query-parameters.ts";

/** The largest query that makes sense has a filter of 128 values of 128 characters. */
const QUERY_BYTES_MAX = 65_536;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The query is too large",
  detail: `A query has ${QUERY_BYTES_MAX} bytes at most.`,
};

export const queryBodyLimit = bodyLimit({ maxSize: QUERY_BYTES_MAX, onError: () => problemResponse(tooLarge) });

/** `POST /v1/merchants/{id}/query`. */
export async function askQuery(c: Context<Guarded<Env>>, nowMs: number): Promise<Result<Question, Problem>> {
  const { merchant } = c.var;
  const home = await loadHome(c.env.DIRECTORY, merchant, nowMs);
  const given = readQuery(c.req.queries(), FORMAT_PARAMETERS);
  if (!given.ok) return given;
  const format = parseFormat(c, given.value);
  if (!format.ok) return format;
  const body: unknown = await c.req.json().catch(() => undefined);
  const parsed = parseQuery(body, home.timezone, nowMs);
  if (!parsed.ok) return parsed;
  const parameters = parsed.value;
  // By its hash: a query may be longer than an address.
  const asked = await tagOf(bytesOf(canonicalQuery(body, parameters)));
  return ok({
    merchantId: merchant,
    key: questionKey(merchant, "query", given.value, { asked, ...inWords(format.value) }),
    fromMs: parameters.fromMs,
    toMs: parameters.toMs,
    madeFromMs: parameters.fromMs,
    answer: async () => {
      const answer = await answerQuery(c.env, merchant, parameters, format.value, nowMs);
      return answer.ok ? ok({ ...answer.value, isUntagged: true }) : answer;
    },
  });
}

async function answerQuery(
  env: Env,
  merchantId: string,
  parameters: QueryParameters,
  { csv, byteOrderMark }: AnswerFormat,
  nowMs: number,
): Promise<Result<Answer, Problem | LongTable>> {
  try {
    const reading = await readQueryRows(env, merchantId, parameters, nowMs);
    return csv ? asTable(queryCsv(reading, byteOrderMark), reading) : asJson(presentQuery(reading), reading);
  } catch (error) {
    if (error instanceof QueryTooExpensive) return err(queryTooExpensive(error));
    throw error;
  }
}
