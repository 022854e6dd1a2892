import { HOUR_MS } from "../../shared/window.ts";
import type { PartVerdict } from "./health-schema.ts";

/** How a part is, and why it is not `ok`. */
export interface Verdict {
  readonly verdict: PartVerdict;
  readonly reason: string | null;
}

export const OK: Verdict = { verdict: "ok", reason: null };
export const degraded = (reason: string): Verdict => ({ verdict: "degraded", reason });
export const down = (reason: string): Verdict => ({ verdict: "down", reason });
export const unknown = (reason: string): Verdict => ({ verdict: "unknown", reason });

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

/** `90 s`, `12 min`, `3.5 h`. */
export function inWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 2 * HOUR_MS ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / (HOUR_MS / 10)) / 10} h`;
}
