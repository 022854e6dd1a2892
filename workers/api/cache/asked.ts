import { ok, type Result } from "../../../shared/result.ts";
import { completeThrough, WINDOW_MS, windowStart } from "../../../shared/window.ts";
import type { Problem } from "../../http/problem.ts";
import type { Env } from "../env.ts";
import { loadHome, type MerchantHome } from "../merchant.ts";
import { answerMetrics } from "../metrics.ts";
import {
  latestClosedWindow,
  METRICS_PARAMETERS,
  parseMetrics,
  parseReport,
  REPORT_PARAMETERS,
  readQuery,
} from "../parameters.ts";
import { answerReport } from "../report.ts";
import { type Answer, type Question, questionKey } from "./question.ts";

type Asked = Readonly<Record<string, string[]>>;

/** `GET /v1/merchants/{id}/report` as a question. */
export async function askReport(
  env: Env,
  merchantId: string,
  asked: Asked,
  nowMs: number,
): Promise<Result<Question, Problem>> {
  const home = await loadHome(env.DIRECTORY, merchantId, nowMs);
  const query = readQuery(asked, REPORT_PARAMETERS);
  if (!query.ok) return query;
  const parameters = parseReport(query.value, home.timezone, nowMs);
  if (!parameters.ok) return parameters;
  const { atMs, zone } = parameters.value;
  const currencies = [...parameters.value.currencies].sort();
  const fromMs = atMs === undefined ? latestClosedWindow(completeThrough(nowMs)) : windowStart(atMs);
  const understood = { at: fromMs, tz: zone, currency: wanted(currencies, home) };
  return ok({
    merchantId,
    key: questionKey(merchantId, "report", query.value, understood),
    fromMs,
    toMs: fromMs + WINDOW_MS,
    answer: async () => asJson(await answerReport(env, merchantId, home, { zone, currencies, atMs: fromMs }, nowMs)),
  });
}

/** `GET /v1/merchants/{id}/metrics` as a question. */
export async function askMetrics(
  env: Env,
  merchantId: string,
  asked: Asked,
  nowMs: number,
): Promise<Result<Question, Problem>> {
  const home = await loadHome(env.DIRECTORY, merchantId, nowMs);
  const query = readQuery(asked, METRICS_PARAMETERS);
  if (!query.ok) return query;
  const parameters = parseMetrics(query.value, home.timezone, nowMs);
  if (!parameters.ok) return parameters;
  const { zone, granularity, series } = parameters.value;
  const currencies = [...parameters.value.currencies].sort();
  const { fromMs, toMs } = series;
  const understood = { from: fromMs, to: toMs, tz: zone, granularity, currency: wanted(currencies, home) };
  return ok({
    merchantId,
    key: questionKey(merchantId, "metrics", query.value, understood),
    fromMs,
    toMs,
    answer: async () => asJson(await answerMetrics(env, merchantId, home, { ...parameters.value, currencies }, nowMs)),
  });
}

/** Without any named, it is the merchant's own that is shown where there is nothing. */
function wanted(currencies: readonly string[], { currency = "" }: MerchantHome): string {
  return currencies.length > 0 ? currencies.join() : `all, ${currency}`;
}

function asJson(body: { readonly as_of: string }): Answer {
  return { text: JSON.stringify(body), contentType: "application/json", asOfMs: Date.parse(body.as_of) };
}
