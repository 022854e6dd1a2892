import type { Env } from "./env.ts";
import { countLateWindows } from "./merchant.ts";
import { type Notice, noticeOfOther, noticesOf } from "./notices.ts";
import { QUERY_BUDGET, type QueryBudget } from "./query-budget.ts";
import { NO_COST, type QueryCost, queryGroups } from "./query-history.ts";
import type { QueryParameters } from "./query-parameters.ts";
import { planQuery } from "./query-plan.ts";
import { type QueryResult, queryRows } from "./query-rows.ts";
import { type Completeness, readBoth } from "./read-range.ts";
import { historyFrom } from "./retention.ts";

/** What `POST /v1/merchants/{id}/query` asks for, before it is shown in a form. */
export interface QueryReading extends QueryResult, Completeness {
  readonly merchantId: string;
  readonly parameters: QueryParameters;
  readonly notices: readonly Notice[];
  readonly cost: QueryCost & { readonly hotWindows: number };
}

/** The rows of a query over all windows of its span, those that are not in history yet included. Throws as `queryGroups` and `readBoth` do. */
export async function readQueryRows(
  env: Env,
  merchantId: string,
  parameters: QueryParameters,
  nowMs: number,
  budget: QueryBudget = QUERY_BUDGET,
): Promise<QueryReading> {
  const plan = planQuery(merchantId, parameters);
  const [{ windows, past, ...completeness }, lateWindows] = await Promise.all([
    readBoth(env, { ...plan, takesPartial: true }, nowMs, (spans) => queryGroups(env, plan, spans, budget, nowMs)),
    countLateWindows(env.DIRECTORY, merchantId, [plan]),
  ]);
  const result = queryRows(plan, parameters, past?.groups ?? [], windows);
  return {
    ...result,
    merchantId,
    parameters,
    ...completeness,
    isPartial: completeness.isPartial || completeness.isRebuilding || lateWindows === undefined,
    notices: [
      ...noticesOf({
        exact: parameters.exact,
        lateWindows,
        isPartial: completeness.isPartial,
        isRebuilding: completeness.isRebuilding,
        startsBefore: plan.fromMs < historyFrom(nowMs),
      }),
      ...noticeOfOther(result.hasOther),
    ],
    cost: { ...(past?.cost ?? NO_COST), hotWindows: windows.length },
  };
}
