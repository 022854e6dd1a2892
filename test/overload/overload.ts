import { join } from "node:path";
import { z } from "zod";
import { describeMachine, machineLine } from "../../bench/machine.ts";
import { optionsOf } from "../../bench/options.ts";
import { makeStateDir } from "../../bench/system.ts";
import { tableText } from "../../bench/table.ts";
import { buildDurableWorkers } from "../../scripts/durable-queues/bundle.ts";
import { failureText } from "../../scripts/failure-text.ts";
import type { Latency, OverloadReport } from "./overload-report.ts";
import { runOverload } from "./run-overload.ts";

const USAGE = `npm run overload -- [--times 10] [--seconds 120] [--json]
  Measures what this machine sustains, then sends so many times that much: is anything accepted lost, how fast are refusals, does memory grow, what
  becomes of another merchant's reads, how soon is service normal again? Linux only: memory is read from /proc.
  --times N    of what the machine sustains (10)
  --seconds N  for how long (120)
  --json       the report as one JSON object

Exit code: 0 all is as promised; 1 something is not; 2 wrong usage.`;

const optionsSchema = z.object({
  times: z.coerce.number().min(1).max(100),
  seconds: z.coerce.number().min(1).max(3_600),
  json: z.boolean(),
});

async function main(): Promise<number> {
  const { times, seconds, json } = optionsOf(USAGE, optionsSchema, { times: "10", seconds: "120", json: false });
  const dir = await makeStateDir();
  const onStep = (step: string) => process.stderr.write(`… ${step}\n`);
  try {
    const bundleDir = join(dir, "bundles");
    onStep("building the Workers");
    await buildDurableWorkers(bundleDir);
    const machine = describeMachine();
    const report = await runOverload({ dir, bundleDir, times, durationMs: seconds * 1000, onStep });
    process.stdout.write(
      json ? `${JSON.stringify({ machine, ...report })}\n` : `${machineLine(machine)}\n\n${textOf(report)}`,
    );
    return report.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`);
    return 1;
  }
}

const grouped = (count: number) => count.toLocaleString("en-US");

function textOf(report: OverloadReport): string {
  const { requests, refusals, acceptances, memory_mb: memory, reads } = report;
  const ms = ({ p50_ms, p99_ms, max_ms }: Latency) => `${p50_ms}, ${p99_ms}, ${max_ms}`;
  const rows = [
    ["events/s sustained", grouped(report.sustained_events_per_s)],
    ["events/s offered", grouped(report.offered_events_per_s)],
    ["events/s sent, as far as connections were free", grouped(report.sent_events_per_s)],
    ["events/s accepted", grouped(report.accepted_events_per_s)],
    ["requests accepted, of which counted at once", `${grouped(requests.accepted)}, ${grouped(requests.direct)}`],
    ["requests refused", grouped(requests.refused)],
    ["requests unanswered, answered wrongly", `${requests.unanswered}, ${requests.wrong}`],
    ["refusals within 100 ms, %", (100 * refusals.within_100_ms).toFixed(2)],
    ["refusals: median, p99, slowest, ms", ms(refusals)],
    ["receipts: median, p99, slowest, ms", ms(acceptances)],
    ["the sender's event loop late by: median, p99, most, ms", ms(report.sender_lag)],
    [`cores taken by ${Object.keys(report.cores).join(", ")}`, Object.values(report.cores).join(", ")],
    ["events lost, invented", `${grouped(report.lost)}, ${grouped(report.invented)}`],
    ["memory before, in each quarter, after, MB", [memory.before, ...memory.quarters, memory.after].join(", ")],
    ["another's reads alone: median, p99, slowest, ms", ms(reads.alone)],
    ["  at what the machine sustains", ms(reads.sustained)],
    ["  under the flood", ms(reads.flood)],
    ["service normal after, ms", grouped(report.recovered_ms)],
    ["all counted after, ms", grouped(report.drained_ms)],
  ];
  const text = tableText([["overload", report.ok ? "as promised" : "NOT AS PROMISED"], ...rows]);
  return [text, ...report.failures].join("\n").concat("\n");
}

process.exitCode = await main();
