import { DAY_MS, windowStart } from "../../../../shared/window.ts";
import type { Live } from "../data/live.ts";
import { reachable } from "../data/request.ts";
import { clockTime, timeBeside, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";

export interface FreshnessProps {
  readonly live: Live["state"];
  readonly asOf: string | undefined;
  readonly completeThrough: string | undefined;
  readonly zone: string;
}

/** How fresh and how final the day's numbers are, in words. */
export function Freshness({ live, asOf, completeThrough, zone }: FreshnessProps) {
  if (asOf === undefined || completeThrough === undefined) return <p class="freshness">{t("loading")}</p>;
  // Windows are final when they ended a day ago.
  const final = timeIn(zone, windowStart(Date.parse(asOf) - DAY_MS));
  // A stream finds out later than a question that nobody answers.
  const told = reachable.value ? live : "connecting";
  const state = told === "live" ? "fresh.live" : told === "connecting" ? "fresh.waiting" : "fresh.polling";
  return (
    <p class="freshness">
      <span class={`live-state ${told}`}>{t(state)}</span>
      <span>{t("fresh.to", { time: timeBeside(completeThrough, asOf) })}</span>
      <span>{t("fresh.final", { time: t("day.yesterday", { time: clockTime(final) }) })}</span>
    </p>
  );
}
