import type { Capacity } from "./capacity.ts";
import { type Item, n, type Section } from "./item.ts";
import { type CapacityOptions, DEFAULTS } from "./options.ts";

const TITLES: Readonly<Record<Section, string>> = {
  load: "The load",
  log: "The log: requests, queues, batches",
  shards: "The shards: how many, and what one holds",
  counting: "Counting: calls to shards and rows written",
  history: "History: windows on their way to ClickHouse",
  upkeep: "Upkeep: hours audited and compacted, days rolled up",
  reads: "Reads",
  outage: "An outage",
  bill: "The bill, at list prices",
};
/** Of the bill's total, what is worth naming. */
const DOMINANT_SHARE_MIN = 0.1;

/** The figures for a person: by section, each with its arithmetic, and at the end what is broken and what dominates the bill. */
export function capacityText(options: CapacityOptions, result: Capacity): string {
  const sections = Object.entries(TITLES).map(([section, title]) => {
    const rows = result.items.filter((item) => item.section === section);
    return `${title}\n${rows.map(rowOf).join("\n")}`;
  });
  return `${[changedText(options), ...sections, summaryText(result), brokenText(result.items)].join("\n\n")}\n`;
}

export function capacityJson(
  options: CapacityOptions,
  { shards, usdPerDay, usdPerBillionEvents, items }: Capacity,
): string {
  return `${JSON.stringify({
    options,
    shards,
    usd_per_day: usdPerDay,
    usd_per_billion_events: usdPerBillionEvents,
    broken: items.filter(({ broken }) => broken).map(({ name }) => name),
    items,
  })}\n`;
}

/** Options that are not at their default; all others are in the help. */
function changedText(options: CapacityOptions): string {
  const names = Object.keys(options) as (keyof CapacityOptions)[];
  const changed = names.filter((name) => options[name] !== DEFAULTS[name]);
  if (changed.length === 0) return "All options at their defaults.";
  const shown = changed.map((name) =>
    name === "repartition" ? "--repartition" : `--${name} ${n(options[name] ?? 0)}`,
  );
  return `Options: ${shown.join(" ")}; all others at their defaults.`;
}

const NAME_WIDTH = 33;
const VALUE_WIDTH = 12;
const UNIT_WIDTH = 27;

function rowOf({ name, value, unit, arithmetic, limit, broken }: Item): string {
  const held = limit === undefined ? "" : `; ${broken ? "BROKEN: " : ""}limit ${n(limit)}`;
  const figure = `${name.padEnd(NAME_WIDTH)}${n(value).padStart(VALUE_WIDTH)} ${unit.padEnd(UNIT_WIDTH)}`;
  return `${broken ? "!" : " "} ${figure}= ${arithmetic}${held}`;
}

function summaryText({ shards, usdPerDay, usdPerBillionEvents, items }: Capacity): string {
  const bill = items
    .filter(({ section, name }) => section === "bill" && name.startsWith("usd_") && !SUMS.has(name))
    .sort((a, b) => b.value - a.value)
    .filter(({ value }) => value >= DOMINANT_SHARE_MIN * usdPerDay)
    .map(({ name, value }) => `${name} ${Math.round((100 * value) / usdPerDay)} %`);
  return [
    `${n(shards)} shards. $${n(usdPerDay)} a day, $${n(usdPerBillionEvents)} for a billion events without the reads; ClickHouse and the kept archive not included.`,
    `Most of the bill: ${bill.join(", ")}.`,
  ].join("\n");
}

/** Not a part of the day's bill, but sums of parts. */
const SUMS: ReadonlySet<string> = new Set([
  "usd_of_events",
  "usd_of_reads",
  "usd_per_day",
  "usd_per_billion_events",
  "usd_archive_kept",
]);

function brokenText(items: readonly Item[]): string {
  const broken = items.filter((item) => item.broken);
  if (broken.length === 0) return "Every limit is kept.";
  const lines = broken.map(
    ({ name, value, unit, limit = 0, limit_of = "", mend = "" }) =>
      `! ${name}: ${n(value)} ${unit}, limit ${n(limit)} (${limit_of})\n    ${mend}`,
  );
  return [`Broken limits (${broken.length}) and what mends them:`, ...lines].join("\n");
}
