import type { Reading } from "../meter/meter-state.ts";
import { COUNTERS, type CounterSpec, HISTOGRAMS, type HistogramSpec, seriesKey } from "../meter/series.ts";
import type { Family, Labels } from "./open-metrics.ts";

const COUNTER_SPECS: Readonly<Record<string, CounterSpec>> = COUNTERS;
const HISTOGRAM_SPECS: Readonly<Record<string, HistogramSpec>> = HISTOGRAMS;

/** What isolates have counted: each series there can be, those of which nothing was counted yet as zeros, so that their first event is seen as a rise. */
export function countedFamilies({ counts }: Reading): Family[] {
  return [
    ...Object.entries(COUNTER_SPECS).map(([name, spec]): Family => {
      const samples = seriesOf(spec).map((labels) => ({
        labels,
        value: counts.get(seriesKey(name, spec, Object.values(labels))) ?? 0,
      }));
      return { ...described(name, spec), type: "counter", samples };
    }),
    ...Object.entries(HISTOGRAM_SPECS).map(([name, spec]): Family => {
      const samples = seriesOf(spec).map((labels) => {
        const key = seriesKey(name, spec, Object.values(labels));
        const buckets = [...spec.bounds, Number.POSITIVE_INFINITY].map((_, at) => counts.get(`${key}/${at}`) ?? 0);
        return { labels, buckets, sum: counts.get(`${key}/sum`) ?? 0 };
      });
      return { ...described(name, spec), type: "histogram", bounds: spec.bounds, samples };
    }),
  ];
}

function described(name: string, { help }: CounterSpec): Pick<Family, "name" | "help" | "unit"> {
  const unit = (["seconds", "bytes"] as const).find((unit) => name.endsWith(`_${unit}`));
  return { name: `tally_${name}`, help, ...(unit === undefined ? {} : { unit }) };
}

/** Every combination of the values that labels may have. */
function seriesOf({ labels }: CounterSpec): Labels[] {
  return Object.entries(labels).reduce<Labels[]>(
    (series, [label, values]) => series.flatMap((known) => values.map((value) => ({ ...known, [label]: value }))),
    [{}],
  );
}
