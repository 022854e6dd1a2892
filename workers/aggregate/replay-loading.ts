import { HOUR_MS } from "../../shared/window.ts";
import { type DamagedObject, loadHours } from "./archived-hours.ts";
import type { Loading } from "./archived-lines.ts";
import type { Env } from "./env.ts";
import { NEIGHBOURS_SQL } from "./recount-sql.ts";
import { type ReplayClient, rowsOf } from "./replay-client.ts";

/** Of no other loading: two in one millisecond differ by chance, and there is one object that loads. */
export function loadingNumber(nowMs: number): number {
  return nowMs * 1_000 + Math.floor(Math.random() * 1_000);
}

/** Parameters of the comparison for a pass over all merchants. */
export function wholePass(fromMs: number, toMs: number) {
  return { from: fromMs / 1000, to: toMs / 1000, only: [] as readonly string[], slices: 1, slice: 0 };
}

/** Loads the hours in which an event of the loaded ones may have been counted before; `hours` are those, in seconds. */
export async function loadNeighbours(
  env: Env,
  client: ReplayClient,
  loading: Loading,
  parameters: { readonly replay: number; readonly hours: readonly number[] },
): Promise<DamagedObject[]> {
  const neighbours = await rowsOf<{ hour_s: number | string }>(client, NEIGHBOURS_SQL, { ...parameters });
  const loaded = new Set(parameters.hours);
  const missing = neighbours.map(({ hour_s }) => Number(hour_s)).filter((hour) => !loaded.has(hour));
  return await loadHours(
    env,
    loading,
    missing.map((hour) => hour * 1000),
  );
}

/**
 * The hours whose windows may be written: those read whole. When a neighbour was not, none may, since what is missing there may be what an
 * event repeats.
 */
export function soundHours(hoursMs: Iterable<number>, damaged: readonly DamagedObject[]): number[] {
  const hours = new Set(hoursMs);
  const damagedHours = new Set(damaged.map(({ hourMs }) => hourMs - (hourMs % HOUR_MS)));
  if ([...damagedHours].some((hourMs) => !hours.has(hourMs))) return [];
  return [...hours].filter((hourMs) => !damagedHours.has(hourMs));
}
