import { countedFamilies } from "./counted-families.ts";
import { gaugeFamilies } from "./gauge-families.ts";
import { openMetrics } from "./open-metrics.ts";
import type { Look } from "./read-health.ts";

/**
 * A look at the pipeline as OpenMetrics. While a meter is silent the counters are left out: without its part they would fall, and a scraper would take that
 * for a restart, and the rise after it for what was counted since.
 */
export function metricsText({ health, reading }: Look): string {
  const { meters, reachable } = health.parts.meters;
  const isWhole = meters > 0 && reachable === meters;
  return openMetrics([...gaugeFamilies(health), ...(isWhole ? countedFamilies(reading) : [])]);
}
