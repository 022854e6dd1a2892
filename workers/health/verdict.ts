import type { PartVerdict } from "./health-schema.ts";
import type { Reason } from "./reason.ts";

/** How a part is, and why it is not `ok`. */
export type Verdict =
  | { readonly verdict: "ok"; readonly reason: null; readonly because: null }
  | ({ readonly verdict: Exclude<PartVerdict, "ok"> } & Reason);

export const OK: Verdict = { verdict: "ok", reason: null, because: null };
export const degraded = (reason: Reason): Verdict => ({ verdict: "degraded", ...reason });
export const down = (reason: Reason): Verdict => ({ verdict: "down", ...reason });
export const unknown = (reason: Reason): Verdict => ({ verdict: "unknown", ...reason });

/** The first that is not `ok`. */
export function firstOf(...verdicts: readonly (Verdict | false | undefined)[]): Verdict {
  return verdicts.find((verdict): verdict is Verdict => verdict !== undefined && verdict !== false) ?? OK;
}

export function earliest(moments: readonly (number | null)[]): number | null {
  const known = moments.filter((ms) => ms !== null);
  return known.length === 0 ? null : Math.min(...known);
}

export const iso = (ms: number) => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : iso(ms));
