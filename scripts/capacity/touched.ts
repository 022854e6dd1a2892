import { n } from "./item.ts";

/**
 * How many of `shards` are expected to own at least one of `events`, each of which falls on any of them alike. Events of one merchant
 * keep together, so it is a little fewer in truth.
 */
export function touched(events: number, shards: number): number {
  return events === 0 ? 0 : -shards * Math.expm1(events * Math.log1p(-1 / shards));
}

export function touchedText(events: number, shards: number): string {
  return `${n(shards)} × (1 − (1 − 1 / ${n(shards)})^${n(events)})`;
}
