import { z } from "zod";
import { type Bill, billOf } from "./bill.ts";
import { reportCost } from "./cost-report.ts";
import { type CostResult, type CostRun, runCost } from "./cost-run.ts";
import { optionsOf } from "./options.ts";

const USAGE = `npm run bench:cost -- [--events 1000000] [--merchants 100000] [--rate 11574] [--seed 1] [--json]
  Runs the reference load through the real Workers with counted bindings, and prices what it used for a billion events.
  --events     events of a run, over three windows
  --merchants  merchants they are of, by a Zipf law; a tenth of them for the runs that flatness is judged by
  --rate       events a second; the default is a billion a day, 0 is as fast as they are taken. How full the log's batches are depends on it
  --seed       another load
  --modes      sync,async or one of them
  --no-flatness  without the runs of a tenth of the merchants
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  events: z.coerce.number().int().min(3_000).max(100_000_000),
  merchants: z.coerce.number().int().min(10).max(10_000_000),
  rate: z.coerce.number().min(0),
  seed: z.string(),
  modes: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(["sync", "async"])).min(1)),
  flatness: z.boolean(),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  events: "1000000",
  merchants: "100000",
  /** A billion a day. */
  rate: "11574",
  seed: "1",
  modes: "async,sync",
  flatness: true,
  json: false,
});

/** Of the reference load: a new deployment has two, and pays less. */
const SHARDS = 64;
const REQUEST_EVENTS = 1_000;
const FEW = 10;

/** One run of the load, and its price. */
export interface Priced {
  readonly mode: CostRun["mode"];
  readonly merchants: number;
  readonly result: CostResult;
  readonly bill: Bill;
}

const startedMs = Date.now();
const priced: Priced[] = [];
for (const merchants of options.flatness ? [options.merchants, options.merchants / FEW] : [options.merchants]) {
  for (const mode of options.modes) {
    const load = { seed: options.seed, events: options.events, merchants, requestEvents: REQUEST_EVENTS };
    const result = await runCost({ load, shards: SHARDS, mode, rate: options.rate });
    const { counters } = result.usage;
    const bill = billOf({ counters, cpuUs: result.cpuUs, events: result.events, shards: SHARDS });
    priced.push({ mode, merchants, result, bill });
    console.error(
      `${mode}, ${merchants} merchants: $${bill.usd.toFixed(2)} a billion, ${Math.round(result.seconds)} s`,
    );
  }
}
reportCost(priced, { startedMs, merchants: options.merchants, rate: options.rate }, options.json);
