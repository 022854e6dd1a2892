import fc from "fast-check";
import { type CountedEvent, type Report, ReportCounter } from "./report.ts";
import { type MerchantWindow, toRow } from "./window-row.ts";

/** Generated reports, for property tests. */

const AMOUNTS = [0, 1, 99, 1_200, 1_200, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER];
/** More than a breakdown names. */
const METHODS = 300;

/**
 * One of 30,000 events, made from its number by arithmetic alone: quick to generate by the hundred, and a counterexample is a list
 * of small numbers. Some have no payer, any dimension may be unknown, the values are of any script.
 */
export function eventOf(n: number): CountedEvent {
  const hash = Math.imul(n + 1, 0x9e3779b1) >>> 0;
  const dimension = (of: number, name: string) => (hash % of === 0 ? undefined : `${name}${hash % of}`);
  return {
    type: n % 7 === 3 ? "refund" : "payment",
    amount: AMOUNTS[hash % AMOUNTS.length] ?? 0,
    points_used: n % 5 === 0 ? hash : 0,
    points_earned: n % 3 === 0 ? Number.MAX_SAFE_INTEGER : 0,
    user: n % 4 === 0 ? undefined : { lo: hash, hi: Math.imul(hash, 0x85ebca6b) >>> 0 },
    dimensions: [
      `qr-${n % METHODS}`,
      ...[dimension(3, "g"), dimension(7, "漢"), dimension(2, "gold"), dimension(11, "J"), dimension(5, "😀")],
      dimension(260, "\u{ffff}"),
    ],
  };
}

/** Up to `max` events, with repeats. */
export const countedEvents = (max: number) =>
  fc.array(fc.nat(30_000), { maxLength: max, size: "max" }).map((numbers) => numbers.map(eventOf));

export const reportOf = (events: readonly CountedEvent[]): Report => {
  const counter = new ReportCounter();
  for (const event of events) counter.add(event);
  return counter.report();
};

/** Reports of few and of many events. */
export const reports = fc.oneof(countedEvents(4), countedEvents(500)).map(reportOf);

export const windowOf = (report: Report): MerchantWindow => ({
  merchantId: "shop-1",
  currency: "JPY",
  startMs: 1_795_000_200_000,
  revision: 1_795_000_900_001,
  report,
});

/** The one form of a report: as it is stored. */
export const bytesOf = (report: Report): string => JSON.stringify(toRow(windowOf(report)));
