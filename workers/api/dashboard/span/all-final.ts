import type { MetricsAnswer } from "../data/answers.ts";

/** Whether nothing of a span's numbers is to change. A window that is final and counted anew is not all there yet. */
export function isAllFinal({
  series,
  to,
  complete_through,
}: Pick<MetricsAnswer, "series" | "to" | "complete_through">) {
  const isComplete = Date.parse(complete_through) >= Date.parse(to);
  return isComplete && series.every(({ total }) => total.status === "final");
}
