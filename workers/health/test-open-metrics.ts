/**
 * Reads OpenMetrics text as strictly as its specification is written, and nothing else: written from the ABNF, not from what writes it. There is no
 * parser of the format on npm that is kept up (docs/decisions/0077). Throws what is wrong, by line; answers samples by name and labels.
 */
export function readOpenMetrics(text: string): Map<string, number> {
  if (!text.endsWith("# EOF\n")) throw new Error("does not end in # EOF and a line feed");
  const samples = new Map<string, number>();
  const families = new Set<string>();
  let family: Family | undefined;
  text.split("\n").forEach((line, at, lines) => {
    const fail = (what: string) => new Error(`line ${at + 1}, ${line}: ${what}`);
    if (at >= lines.length - 2) return;
    const metadata = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (metadata !== null) {
      const [, kind = "", name = "", rest = ""] = metadata;
      if (family?.name !== name) {
        if (families.has(name)) throw fail("a family stands there twice, or in pieces");
        family = { name, type: "unknown", seen: new Set(), hasSamples: false };
        families.add(name);
      }
      if (family.seen.has(kind) || family.hasSamples) throw fail("metadata twice, or after samples");
      family.seen.add(kind);
      if (kind === "TYPE") family.type = rest;
      if (kind === "UNIT" && !name.endsWith(`_${rest}`)) throw fail("the name does not end in the unit");
      if (kind === "HELP" && !/^([^\\"\n]|\\\\|\\n|\\")*$/.test(rest)) throw fail("help that is not escaped");
      return;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) throw fail("neither metadata nor a sample");
    const [, name = "", , pairs = "", number = ""] = sample;
    if (family === undefined) throw fail("a sample of no family");
    const suffixes = SUFFIXES[family.type];
    if (suffixes === undefined) throw fail(`no type is called ${family.type}`);
    if (!name.startsWith(family.name) || !suffixes.includes(name.slice(family.name.length))) {
      throw fail(`not a sample of ${family.name}, a ${family.type}`);
    }
    if (!/^(-?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN)$/i.test(number)) throw fail("not a number");
    const labels = pairs === "" ? [] : pairs.split(/,(?=[a-z_]+=")/);
    if (!labels.every((pair) => /^[a-zA-Z_][a-zA-Z0-9_]*="([^\\"\n]|\\\\|\\n|\\")*"$/.test(pair))) throw fail("labels");
    if (family.type === "counter" && Number(number) < 0) throw fail("a negative counter");
    family.hasSamples = true;
    const key = `${name}{${labels.join()}}`;
    if (samples.has(key)) throw fail("a sample twice");
    samples.set(key, Number(number));
  });
  checkBuckets(samples);
  return samples;
}

interface Family {
  readonly name: string;
  type: string;
  readonly seen: Set<string>;
  hasSamples: boolean;
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [""],
  stateset: [""],
  counter: ["_total", "_created"],
  histogram: ["_bucket", "_count", "_sum", "_created"],
};

/** Buckets never fall, end with `+Inf`, and that is the count. */
function checkBuckets(samples: ReadonlyMap<string, number>): void {
  let before = { series: "", value: 0, bound: Number.NEGATIVE_INFINITY };
  for (const [key, value] of samples) {
    const bucket = /^(\w+)_bucket\{(.*?),?le="([^"]*)"\}$/.exec(key);
    if (bucket === null) continue;
    const [, name = "", labels = "", le = ""] = bucket;
    const series = `${name}{${labels}}`;
    if (!/^(\d+\.\d+|\+Inf)$/.test(le)) throw new Error(`${key}: a bound that is not canonical`);
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    if (before.series === series && (value < before.value || bound <= before.bound)) throw new Error(`${key} falls`);
    if (le === "+Inf" && samples.get(`${name}_count{${labels}}`) !== value) throw new Error(`${key} is not the count`);
    before = { series, value, bound };
  }
}
