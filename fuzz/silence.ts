import type { RawRequest } from "./raw-request.ts";

/** From the last byte of a request to the last of its answer, or from one to the next. Far beyond what any takes, since the machine has two dozen of them at once. */
export const ANSWER_MS_MAX = 20_000;

/** As long as a table may take (`workers/api/events/table-pages.ts`). */
export const TABLE_MS_MAX = 800_000;

/** How long an answer may say nothing, in milliseconds. A table of events is silent while it finds nothing, for as long as it may take. */
export function silenceMsMax({ method, target, headers }: Pick<RawRequest, "method" | "target" | "headers">): number {
  const isOfEvents = method === "GET" && /\/events(?:\?|$)/.test(target);
  const isTable =
    /[?&]format=csv/.test(target) ||
    headers.some(([name, value]) => name.toLowerCase() === "accept" && value.includes("csv"));
  return isOfEvents && isTable ? TABLE_MS_MAX + ANSWER_MS_MAX : ANSWER_MS_MAX;
}
