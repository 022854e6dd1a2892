import { figuresOf, type Item, n } from "./item.ts";
import type { CapacityOptions } from "./options.ts";
import { reachText } from "./reach.ts";
import { activeMerchants, busyMerchants, largestShare, type MerchantLaw, merchantLaw } from "./zipf.ts";

export const DAY_S = 86_400;
/** Ten minutes each. */
export const WINDOWS_PER_DAY = 144;
/** `SMALL_EVENTS_MAX` in workers/aggregate/window-table.ts: a window of more events is kept as counters. */
export const SMALL_EVENTS_MAX = 16;

/** What is offered. */
export interface Load {
  readonly items: readonly Item[];
  readonly law: MerchantLaw;
  readonly requestsPerDay: number;
  readonly eventsPerSecond: number;
  readonly eventsPerSecondPeak: number;
  readonly eventsPerWindow: number;
  readonly eventsPerWindowPeak: number;
  /** Merchants with an event in a window. */
  readonly activeMerchants: number;
  readonly activeMerchantsPeak: number;
  /** Of these, the ones with so many events that their window is kept as counters. */
  readonly grown: number;
  readonly grownPeak: number;
  readonly largestShare: number;
}

export function loadOf(o: CapacityOptions): Load {
  const figure = figuresOf("load");
  const events = o["events-per-day"];
  const law = merchantLaw(o.merchants, o.zipf);
  const eventsPerSecond = events / DAY_S;
  const eventsPerWindow = events / WINDOWS_PER_DAY;
  const eventsPerWindowPeak = eventsPerWindow * o.peak;
  const active = activeMerchants(law, eventsPerWindow);
  const activePeak = activeMerchants(law, eventsPerWindowPeak);
  const grown = Math.min(active, busyMerchants(law, eventsPerWindow, SMALL_EVENTS_MAX));
  const grownPeak = Math.min(activePeak, busyMerchants(law, eventsPerWindowPeak, SMALL_EVENTS_MAX));
  const largest = o["largest-merchant-share"] ?? largestShare(law);
  const largestPerSecond = events * largest * (o.peak / DAY_S);
  const items = [
    figure("events", eventsPerSecond, "events/s", `${n(events)} events / ${n(DAY_S)} s`),
    figure("events_peak", eventsPerSecond * o.peak, "events/s", `${n(eventsPerSecond)} × ${n(o.peak)}`),
    figure("requests", events / o.batch, "requests/day", `${n(events)} events / ${n(o.batch)} a request`),
    figure("active_merchants", active, "windows", reachText(law, eventsPerWindow)),
    figure("active_merchants_peak", activePeak, "windows", reachText(law, eventsPerWindowPeak)),
    figure("grown_windows", grown, "windows", grownText(law, eventsPerWindow)),
    figure("grown_windows_peak", grownPeak, "windows", grownText(law, eventsPerWindowPeak)),
    figure(
      "largest_merchant_peak",
      largestPerSecond,
      "events/s",
      `${n(eventsPerSecond)} × ${n(o.peak)} × ${
        o["largest-merchant-share"] === undefined ? `1 / ${n(law.norm)}` : n(largest)
      }`,
    ),
  ];
  return {
    items,
    law,
    requestsPerDay: events / o.batch,
    eventsPerSecond,
    eventsPerSecondPeak: eventsPerSecond * o.peak,
    eventsPerWindow,
    eventsPerWindowPeak,
    activeMerchants: active,
    activeMerchantsPeak: activePeak,
    grown,
    grownPeak,
    largestShare: largest,
  };
}

function grownText({ merchants, exponent, norm }: MerchantLaw, events: number): string {
  return `Σ k = 1…${n(merchants)} of P(more than ${SMALL_EVENTS_MAX} where ${n(events)} × k^−${n(exponent)} / ${n(norm)} are expected)`;
}
