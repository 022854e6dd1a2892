import { DAY_MS, windowStart } from "../../../../shared/window.ts";
import type { MetricsAnswer } from "../data/answers.ts";
import { dateAndTime, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";
import { isAllFinal } from "./all-final.ts";

export interface SpanFreshnessProps {
  readonly answer: MetricsAnswer | undefined;
  readonly isLoading: boolean;
  readonly zone: string;
}

/** How fresh and how final a span's numbers are, in words. */
export function SpanFreshness({ answer, isLoading, zone }: SpanFreshnessProps) {
  if (answer === undefined) return <p class="freshness">{t("loading")}</p>;
  const toMs = Math.min(Date.parse(answer.complete_through), Date.parse(answer.to));
  const finalMs = windowStart(Date.parse(answer.as_of) - DAY_MS);
  return (
    <p class="freshness" aria-busy={isLoading}>
      {isAllFinal(answer) ? (
        <span>{t("fresh.all_final")}</span>
      ) : (
        <>
          <span>{t("fresh.to", { time: dateAndTime(timeIn(zone, toMs)) })}</span>
          {finalMs > Date.parse(answer.from) && (
            <span>{t("fresh.final", { time: dateAndTime(timeIn(zone, finalMs)) })}</span>
          )}
        </>
      )}
      <span>{t("fresh.as_of", { time: dateAndTime(answer.as_of) })}</span>
    </p>
  );
}
