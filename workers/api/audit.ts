import { z } from "zod";
import { archivedHour } from "../../shared/archive-key.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { DAY_MS, finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import { auditDoneThrough, auditOf, type ReplayDifference, type ReplayPass } from "../directory/replays.ts";
import { type UncompactedState, uncompactedState } from "../directory/uncompacted-hours.ts";
import type { Problem } from "../http/problem.ts";
import { parseInstant } from "./instant.ts";
import type { Query } from "./parameters.ts";
import { presentDifference, windowsOf } from "./replays.ts";

export const AUDIT_PARAMETERS = ["from", "to"] as const;
/** Passes and differences one answer shows. */
export const AUDIT_LISTED_MAX = 1_000;
/** Without `from`, so long before `to`. */
const SPAN_DEFAULT_MS = 7 * DAY_MS;

const DONE: Readonly<Record<string, string>> = {
  changed: "replayed",
  missing: "replayed",
  short: "left: the archive has fewer events",
  unarchived: "left: the archive has none of its events",
};

/** What the audit has found: of each part how many windows were as the archive says, and each difference with what was done about it. */
export async function answerAudit(
  directory: D1Database,
  query: Query,
  nowMs: number,
): Promise<Result<object, Problem>> {
  const to = parseInstant(query.to ?? "now", "UTC", nowMs);
  if (!to.ok) return err(invalid("to", to.error.hint));
  const from = query.from === undefined ? ok(to.value - SPAN_DEFAULT_MS) : parseInstant(query.from, "UTC", nowMs);
  if (!from.ok) return err(invalid("from", from.error.hint));
  if (from.value >= to.value) return err(invalid("to", "to must be later than from.", "empty_range"));
  const [{ passes, sums, differences }, throughMs, uncompacted] = await Promise.all([
    auditOf(directory, from.value, to.value, AUDIT_LISTED_MAX),
    auditDoneThrough(directory),
    uncompactedState(directory),
  ]);
  return ok({
    from: new Date(from.value).toISOString(),
    to: new Date(to.value).toISOString(),
    final_through: new Date(finalHoursThrough(nowMs)).toISOString(),
    audited_through: throughMs === undefined ? null : new Date(throughMs).toISOString(),
    archive: presentUncompacted(uncompacted),
    windows: windowsOf(sums),
    events: sums.events,
    parts: passes.map((pass) => ({
      from: new Date(pass.fromMs).toISOString(),
      to: new Date(pass.toMs).toISOString(),
      events: pass.events,
      windows: windowsOf(pass),
      damaged_objects: z.array(z.unknown()).parse(pass.damaged),
      doubts: z.array(z.unknown()).nullable().parse(pass.doubts),
      found_at: new Date(pass.foundAt).toISOString(),
    })),
    differences: differences.map((one) => ({ ...presentDifference(one), done: doneAbout(one, passes) })),
  });
}

/** Hours with objects that stand in no Parquet yet, whatever span was asked for. */
function presentUncompacted({ waiting, earliestMs, failing, failure }: UncompactedState): object {
  return {
    hours_waiting: waiting,
    earliest_waiting: earliestMs === null ? null : new Date(earliestMs).toISOString(),
    hours_failing: failing,
    failure,
  };
}

/** Nothing is written of an hour that could not be read whole, nor of a pass beside such an hour (`soundHours` of the aggregate Worker). */
export function doneAbout(
  { windowStart, verdict }: Pick<ReplayDifference, "windowStart" | "verdict">,
  passes: readonly Pick<ReplayPass, "fromMs" | "toMs" | "damaged">[],
): string {
  const isUnread = passes.some(({ fromMs, toMs, damaged }) => {
    if (windowStart < fromMs || windowStart >= toMs) return false;
    const hours = damagedSchema.parse(damaged).map(({ key }) => archivedHour(key) ?? 0);
    return hours.some((ms) => ms < fromMs || ms >= toMs || ms === windowStart - (windowStart % HOUR_MS));
  });
  const isToWrite = verdict === "changed" || verdict === "missing";
  return isToWrite && isUnread ? "left: an object of the archive cannot be read whole" : (DONE[verdict] ?? "");
}

const damagedSchema = z.array(z.object({ key: z.string() }));

function invalid(parameter: string, detail: string, code = "invalid_time"): Problem {
  return { status: 400, code, title: "A parameter is wrong", detail, extensions: { parameter } };
}
