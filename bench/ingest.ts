import { join } from "node:path";
import { z } from "zod";
import { AHEAD_MAX_MS } from "../shared/accept-event.ts";
import { GRACE_MS, WINDOW_MS, windowStart } from "../shared/window.ts";
import { Acknowledged } from "./acknowledged.ts";
import { BENCH_WORKERS_DIR, REAL_ENTRIES } from "./bundle.ts";
import { startFloor } from "./floor.ts";
import { reportIngest } from "./ingest-report.ts";
import { IngestBench } from "./ingest-rounds.ts";
import { paymentLoad } from "./load.ts";
import { optionsOf } from "./options.ts";
import { makeStateDir, startBenchSystem } from "./system.ts";

const USAGE = `npm run bench:ingest -- [--rounds 9] [--events 80000] [--merchants 5000] [--shards 2] [--format json] [--json]
  CPU time of workerd for each accepted event over the whole way, beside a Worker that only parses and compresses the same bytes.
  --rounds     measured rounds, after eight that are thrown away: the runtime compiles what is used often
  --events     events a run at 1,000 a request; in every third round an eighth of them at 100, an eightieth at 1
  --merchants  merchants the events are of, sizes by a Zipf law
  --shards     over which merchants are spread; the default is what a new deployment has. A request is a call to each it concerns
  --format     json for an array, ndjson for an object a line
  --json       one JSON object as the last line`;

const optionsSchema = z.object({
  rounds: z.coerce.number().int().min(1).max(100),
  events: z.coerce.number().int().min(2_000).max(10_000_000),
  merchants: z.coerce.number().int().min(1).max(10_000_000),
  shards: z.coerce.number().int().min(1).max(1_000),
  format: z.enum(["json", "ndjson"]),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  rounds: "9",
  events: "80000",
  merchants: "5000",
  shards: "2",
  format: "json",
  json: false,
});

/** Events are of so many milliseconds, which end a little before ingest would refuse them as in the future. */
const SPREAD_MS = 15_000;
const aheadMs = AHEAD_MAX_MS - SPREAD_MS - 5_000;
const startedMs = Date.now();
/** The latest window events may be of: it does not close, and is not sent to history, for at least six minutes. */
const window = windowStart(startedMs + aheadMs);

const stateDir = await makeStateDir();
const acknowledged = new Acknowledged();
const system = await startBenchSystem({
  stateDir,
  bundles: [
    { worker: "ingest", entry: REAL_ENTRIES["tally-ingest"] },
    { worker: "aggregate", entry: join(BENCH_WORKERS_DIR, "acknowledging-aggregate.ts") },
    { worker: "api", entry: REAL_ENTRIES["tally-api"] },
  ],
  onLog: acknowledged.onLog,
  shards: options.shards,
});
try {
  const floor = await startFloor(stateDir);
  try {
    const next = paymentLoad({ seed: String(startedMs), merchants: options.merchants });
    const bench = new IngestBench({
      ingestUrl: system.runtime.ingestUrl,
      ingestPid: system.pid,
      sourceKey: system.sourceKey,
      floorUrl: floor.url,
      floorPid: floor.pid,
      acknowledged,
      format: options.format,
      nextEvent: () => next(Math.max(window, startedMs) + Math.floor(Math.random() * SPREAD_MS)),
    });
    const rounds = await bench.run(options.rounds, options.events, (line) => console.error(line));
    if (Date.now() > window + WINDOW_MS + GRACE_MS) {
      console.error(
        "The window closed during the run: sending it to history is in the figures. Take fewer rounds or events.",
      );
    }
    reportIngest(rounds, { ...options, startedMs });
  } finally {
    await floor.stop();
  }
} finally {
  await system.stop();
}
