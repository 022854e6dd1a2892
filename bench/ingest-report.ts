import { type Sample, SIZES } from "./ingest-rounds.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { mean, median, significant } from "./numbers.ts";
import { tableText } from "./table.ts";

/** The targets of `bench:ingest`, at 1,000 events a request. */
const RATIO_ASYNC_MAX = 2;
const RATIO_SYNC_MAX = 2.5;
const TARGET_SIZE = 1_000;

interface SizeResult {
  readonly events_per_request: number;
  readonly events_per_round: number;
  readonly bytes_per_event: number;
  readonly floor_us: number;
  readonly floor_zlib_us: number;
  readonly floor_stream_us: number;
  readonly sync_us: number;
  readonly async_us: number;
  readonly ratio_sync: number;
  readonly ratio_async: number;
  /** Means beside the medians: a checkpoint that falls into one round of three is in the one and not in the other. */
  readonly sync_mean_us: number;
  readonly async_mean_us: number;
  readonly rounds: { readonly sync_us: readonly number[]; readonly async_us: readonly number[] };
}

/** Prints the table, or, for a program, the same as one JSON line. */
export function reportIngest(
  samples: readonly Sample[],
  run: {
    readonly merchants: number;
    readonly shards: number;
    readonly format: string;
    readonly json: boolean;
    readonly startedMs: number;
  },
): void {
  const sizes = SIZES.map(({ size }) => resultOf(samples.filter((sample) => sample.size === size)));
  const target = sizes.find(({ events_per_request }) => events_per_request === TARGET_SIZE);
  if (target === undefined) throw new Error("the size with the targets was not run");
  const machine = describeMachine();
  const date = new Date(run.startedMs).toISOString();
  if (!run.json) {
    console.log(`${tableOf(sizes)}\n`);
    console.log(`At 1,000 events a request: async ${target.ratio_async} × the floor (at most ${RATIO_ASYNC_MAX}),`);
    console.log(`sync ${target.ratio_sync} × (at most ${RATIO_SYNC_MAX}).\n`);
    console.log(`${machineLine(machine)}\n${date}`);
    return;
  }
  const { floor_us, sync_us, async_us, ratio_sync, ratio_async } = target;
  console.log(
    JSON.stringify({
      floor_us,
      sync_us,
      async_us,
      ratio_sync,
      ratio_async,
      sizes,
      merchants: run.merchants,
      shards: run.shards,
      format: run.format,
      machine,
      date,
      seconds: significant((Date.now() - run.startedMs) / 1000),
    }),
  );
}

/**
 * The floor is the faster of the two ways to compress, by their medians. A ratio is the median of the rounds' own ratios: a machine that slows down or
 * speeds up while it is measured does so for all runs of a round.
 */
function resultOf(samples: readonly Sample[]): SizeResult {
  const [first] = samples;
  if (first === undefined) throw new Error("no samples");
  const of = (pick: (sample: Sample) => number) => significant(median(samples.map(pick)));
  const floor_zlib_us = of((sample) => sample.floorZlibUs);
  const floor_stream_us = of((sample) => sample.floorStreamUs);
  const floor_us = Math.min(floor_zlib_us, floor_stream_us);
  const isZlib = floor_zlib_us <= floor_stream_us;
  const ratioOf = (pick: (sample: Sample) => number) =>
    significant(median(samples.map((one) => pick(one) / (isZlib ? one.floorZlibUs : one.floorStreamUs))), 3);
  const sync_us = of((sample) => sample.syncUs);
  const async_us = of((sample) => sample.asyncUs);
  const sync = samples.map((sample) => significant(sample.syncUs));
  const async = samples.map((sample) => significant(sample.asyncUs));
  return {
    events_per_request: first.size,
    events_per_round: first.events,
    bytes_per_event: Math.round(first.bytesPerEvent),
    floor_us,
    floor_zlib_us,
    floor_stream_us,
    sync_us,
    async_us,
    ratio_sync: ratioOf((sample) => sample.syncUs),
    ratio_async: ratioOf((sample) => sample.asyncUs),
    sync_mean_us: significant(mean(sync)),
    async_mean_us: significant(mean(async)),
    rounds: { sync_us: sync, async_us: async },
  };
}

function tableOf(sizes: readonly SizeResult[]): string {
  const heading = [
    "events a request",
    "floor zlib",
    "floor stream",
    "sync",
    "async",
    "sync mean",
    "async mean",
    "sync / floor",
    "async / floor",
  ];
  const rows = sizes.map((size) => [
    `${size.events_per_request.toLocaleString("en")} (of ${size.bytes_per_event} bytes)`,
    size.floor_zlib_us.toFixed(1),
    size.floor_stream_us.toFixed(1),
    size.sync_us.toFixed(1),
    size.async_us.toFixed(1),
    size.sync_mean_us.toFixed(1),
    size.async_mean_us.toFixed(1),
    size.ratio_sync.toFixed(2),
    size.ratio_async.toFixed(2),
  ]);
  return `CPU µs of workerd for each accepted event, medians of ${sizes[0]?.rounds.sync_us.length} rounds at 1,000 a request, of a third of them at less\n${tableText([heading, ...rows])}`;
}
