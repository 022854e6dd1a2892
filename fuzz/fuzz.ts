import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorkers, WORKERS } from "../scripts/build.ts";
import { isolateHeapBytes } from "../scripts/isolate-heap.ts";
import { startLocalSystem } from "../scripts/local-system.ts";
import { logToFile } from "../scripts/log-file.ts";
import { freePort } from "../scripts/port.ts";
import { progressBar } from "../scripts/progress-bar.ts";
import { sleep } from "../scripts/sleep.ts";
import { INTERRUPTED_EXIT_CODE, onStopSignals } from "../scripts/stop-signals.ts";
import { readDescription } from "./described.ts";
import { type FuzzCommand, HELP, parseFuzzCommand } from "./fuzz-options.ts";
import { describeReport } from "./fuzz-report.ts";
import { runFuzz } from "./fuzz-run.ts";
import { tableBrokenOff } from "./table-broken-off.ts";

const INSPECTOR_MS_MAX = 5_000;

const parsed = parseFuzzCommand(process.argv.slice(2));
if ("help" in parsed) {
  process.stdout.write(HELP);
} else if ("wrong" in parsed) {
  process.stderr.write(`${parsed.wrong}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  process.exitCode = await fuzz(parsed.command);
}

async function fuzz(command: FuzzCommand): Promise<number> {
  const stateDir = await mkdtemp(join(tmpdir(), "tally-fuzz-"));
  const bundleDir = join(stateDir, "bundles");
  const interrupt = new AbortController();
  const signals = onStopSignals(["SIGINT", "SIGTERM"], () => {
    interrupt.abort();
    process.stderr.write("\nBroken off: what was sent is being checked. Again to end at once.\n");
  });
  const logFile = join(stateDir, "workers.log");
  const log = await logToFile(logFile);
  const tablesBrokenOff = new Set<string>();
  let isLogKept = false;
  try {
    // The build of the api Worker writes the description, too.
    await buildWorkers(bundleDir);
    const described = readDescription(JSON.parse(await readFile("dist/site/openapi.json", "utf8")));
    const inspectorPort = await freePort();
    const system = await startLocalSystem({
      stateDir,
      bundleDir,
      inspectorPort,
      ports: { ingest: 0, api: 0, clickhouse: 0 },
      aggregateVars: { LATE_DELAY_MS: "300" },
      onLog: (line) => {
        log.write(line);
        const request = tableBrokenOff(line.message);
        if (request !== undefined) tablesBrokenOff.add(request);
      },
    });
    signals.takeOver();
    try {
      const bar = progressBar(command.cases, "cases");
      const report = await runFuzz(system, stateDir, described, {
        ...command,
        signal: interrupt.signal,
        tablesBrokenOff,
        heapMb: () => heapMb(inspectorPort),
        onCase: (done) => bar?.update(done),
      });
      bar?.stop();
      process.stdout.write(command.json ? `${JSON.stringify(report)}\n` : describeReport(report));
      isLogKept = report.faultCount > 0;
      if (interrupt.signal.aborted) return INTERRUPTED_EXIT_CODE;
      return report.faultCount > 0 ? 1 : 0;
    } finally {
      await system.stop();
    }
  } finally {
    await log.close();
    if (isLogKept) process.stderr.write(`what the Workers have logged: ${await keep(logFile, command)}\n`);
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** `undefined` when the inspector does not answer, which happens once in some hundred times, and says nothing of the Workers. */
async function heapMb(inspectorPort: number): Promise<number | undefined> {
  const asked = Promise.all(WORKERS.map((worker) => isolateHeapBytes(inspectorPort, `tally-${worker}`)));
  asked.catch(() => {});
  const heaps = await Promise.race([asked, sleep(INSPECTOR_MS_MAX)]);
  if (heaps === undefined) return undefined;
  return Math.round(heaps.reduce((sum, bytes) => sum + bytes, 0) / 1e5) / 10;
}

/** Where it says of a fault what the answer does not, by the request's id. */
async function keep(logFile: string, { seed, first }: FuzzCommand): Promise<string> {
  const kept = join(tmpdir(), `tally-fuzz-${seed}-${first}.log`);
  await copyFile(logFile, kept);
  return kept;
}
