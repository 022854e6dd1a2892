import { HOUR_MS } from "../../../shared/window.ts";
import type { Problem } from "../../http/problem.ts";
import { presentTime } from "../present.ts";
import { HOUR_LINES_BYTES_MAX, HOUR_OBJECTS_MAX, HourTooLarge, type HourTooSlow } from "./archive-reader.ts";
import { SEARCH_END_MS_MAX } from "./search-time.ts";
import { SEARCH_PAUSE_S, type SearchesFull } from "./searches.ts";

/** Of an hour that is compacted: what else kept ClickHouse busy has ended by then. */
const SLOW_PAUSE_S = 10;
/** Of an hour that is not, when nobody knows more than that it takes hours. */
const COMPACTION_PAUSE_S = 3_600;

export const archiveUnreadable: Problem = {
  status: 503,
  code: "archive_unreadable",
  title: "Single events cannot be read right now",
  detail: "Metrics and reports can.",
  retryAfterS: 60,
};

/** Why an hour was not searched: it waits to be compacted, until when all merchants' lines stand together in it, or it is compacted, and there was no time, or too much in it. */
export function hourNotSearched(error: HourTooLarge | HourTooSlow, zone: string): Problem {
  if (error instanceof HourTooLarge)
    return error.isUncompacted ? tooMuchUncompacted(error, zone) : tooLarge(error, zone);
  return error.uncompactedMs === undefined
    ? tooSlow(error, zone)
    : tooSlowUncompacted(error, error.uncompactedMs, zone);
}

function tooMuchUncompacted({ hourMs, bytes, objects }: HourTooLarge, zone: string): Problem {
  const why = `there are ${bytes} bytes in ${objects} objects that are not sorted yet; ${HOUR_LINES_BYTES_MAX} can be searched, in ${HOUR_OBJECTS_MAX} objects`;
  const problem = notCompacted(hourMs, why, "it", zone);
  return { ...problem, extensions: { ...problem.extensions, bytes, bytes_max: HOUR_LINES_BYTES_MAX } };
}

function tooSlowUncompacted({ hourMs }: HourTooSlow, uncompactedMs: number, zone: string): Problem {
  const why = `there are objects that are not sorted yet, and they were not searched in ${SEARCH_END_MS_MAX} ms, which they may be when less is being read`;
  // Events may have been received in another hour than theirs, and then a copy of them may stand there.
  const without = hourMs === uncompactedMs ? "it" : `it and the hour from ${presentTime(hourMs, zone)}`;
  return notCompacted(uncompactedMs, why, without, zone);
}

function notCompacted(hourMs: number, why: string, without: string, zone: string): Problem {
  const [hour, end] = spanOf(hourMs, zone);
  return {
    status: 422,
    code: "hour_not_compacted",
    title: "An hour of the archive has too much to be searched before it is sorted by merchant",
    detail: `From ${hour} to ${end} ${why}. They are some 31 hours after the hour has ended, or an hour after the last event that came late; until then ask for a span without ${without}. Metrics and reports have its numbers.`,
    retryAfterS: COMPACTION_PAUSE_S,
    extensions: { hour },
  };
}

function tooSlow({ hourMs }: HourTooSlow, zone: string): Problem {
  const [hour, end] = spanOf(hourMs, zone);
  return {
    status: 503,
    code: "hour_too_slow",
    title: "An hour of the archive was not searched in time",
    detail: `From ${hour} to ${end} nothing was found in ${SEARCH_END_MS_MAX} ms: too much else is being read right now. Ask again. Metrics and reports have its numbers.`,
    retryAfterS: SLOW_PAUSE_S,
    extensions: { hour },
  };
}

function tooLarge({ hourMs, objects }: HourTooLarge, zone: string): Problem {
  const [hour, end] = spanOf(hourMs, zone);
  return {
    status: 422,
    code: "hour_too_large",
    title: "An hour of the archive has too much to be searched",
    detail: `From ${hour} to ${end} there are ${objects} objects; ${HOUR_OBJECTS_MAX} can be searched. Ask for a span without it. Metrics and reports have its numbers.`,
    extensions: { hour },
  };
}

function spanOf(hourMs: number, zone: string): [hour: string, end: string] {
  return [presentTime(hourMs, zone), presentTime(hourMs + HOUR_MS, zone)];
}

export function tooManySearches({ noRoom }: SearchesFull): Problem {
  const whose = noRoom === "of_one" ? "of this merchant" : "of all merchants";
  return {
    status: noRoom === "of_one" ? 429 : 503,
    code: "too_many_searches",
    title: "Too many searches of the archive wait for their turn",
    detail: `As many ${whose} as may. Ask again later, and for one page after the other. Metrics and reports wait for nobody.`,
    retryAfterS: SEARCH_PAUSE_S,
  };
}
