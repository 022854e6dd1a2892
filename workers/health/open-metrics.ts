/** The text format of OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), as scrapers ask for it. */

export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** By label; in this order. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** How many were in each bucket and in none before it; one more than there are bounds. */
  readonly buckets: readonly number[];
  readonly sum: number;
}

interface Described {
  /** Without the suffix of its samples; ends in its unit, if it has one. */
  readonly name: string;
  readonly help: string;
  readonly unit?: "seconds" | "bytes";
}

/** A metric with its samples. Of a stateset each sample says whether the state holds that its last label names. */
export type Family =
  | (Described & { readonly type: "gauge" | "counter" | "stateset"; readonly samples: readonly Sample[] })
  | (Described & {
      readonly type: "histogram";
      readonly bounds: readonly number[];
      readonly samples: readonly HistogramSample[];
    });

/** Families without a sample are left out: what nobody knows is not there, rather than zero. */
export function openMetrics(families: readonly Family[]): string {
  return `${families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join("")}# EOF\n`;
}

function familyText(family: Family): string {
  const { name, type, unit, help } = family;
  if (unit !== undefined && !name.endsWith(`_${unit}`)) throw new Error(`${name} does not end in its unit, ${unit}`);
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...(family.type === "histogram"
      ? family.samples.flatMap((sample) => histogramLines(name, family.bounds, sample))
      : family.samples.map(({ labels, value }) => line(type === "counter" ? `${name}_total` : name, labels, value))),
  ];
  return `${lines.join("\n")}\n`;
}

/** Buckets of a histogram count what is in them and in all before. */
function histogramLines(name: string, bounds: readonly number[], { labels, buckets, sum }: HistogramSample): string[] {
  let count = 0;
  const lines = [...bounds.map(boundText), "+Inf"].map((le, at) => {
    count += buckets[at] ?? 0;
    return line(`${name}_bucket`, { ...labels, le }, count);
  });
  return [...lines, line(`${name}_count`, labels, count), line(`${name}_sum`, labels, sum)];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

/** Canonical: a bound that is an integer says so by `.0`. */
const boundText = (bound: number) => (Number.isInteger(bound) ? `${bound}.0` : String(bound));

const escaped = (text: string) => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
