import type { Comparison, Granularity } from "./answers.ts";
import type { Question } from "./kept-answers.ts";

export interface MetricsWish {
  readonly merchantId: string;
  readonly zone: string;
  /** Dates and times as the API reads them; `to` is not meant itself. */
  readonly from: string;
  readonly to: string;
  readonly granularity: Granularity;
  readonly compare?: Comparison | "none" | undefined;
  /** All seven breakdowns of every bucket are left out where one alone is asked for: a tenth of the answer. */
  readonly groupBy?: string | undefined;
  /** How large payments are, too, in the total. */
  readonly hasAmounts?: boolean;
}

/** A merchant as the directory has it. */
export function merchantQuestion(id: string): Question {
  return { path: `/v1/merchants/${id}` };
}

export function metricsQuestion(wish: MetricsWish): Question {
  return { path: metricsPath(wish) };
}

function metricsPath({ merchantId, zone, from, to, granularity, compare, groupBy, hasAmounts }: MetricsWish): string {
  const query = new URLSearchParams({ from, to, granularity, tz: zone });
  if (compare !== undefined && compare !== "none") query.set("compare", compare);
  if (groupBy !== undefined) query.set("group_by", groupBy);
  if (hasAmounts) query.set("amounts", "true");
  return `/v1/merchants/${merchantId}/metrics?${query}`;
}
