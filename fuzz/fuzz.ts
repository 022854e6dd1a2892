import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorkers } from "../scripts/build.ts";
import { startLocalSystem } from "../scripts/local-system.ts";
import { logToFile } from "../scripts/log-file.ts";
import { progressBar } from "../scripts/progress-bar.ts";
import { readDescription } from "./described.ts";
import { type FuzzCommand, HELP, parseFuzzCommand } from "./fuzz-options.ts";
import { describeReport } from "./fuzz-report.ts";
import { runFuzz } from "./fuzz-run.ts";

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
  process.once("SIGINT", () => interrupt.abort());
  const log = await logToFile(join(stateDir, "workers.log"));
  try {
    // The build of the api Worker writes the description, too.
    await buildWorkers(bundleDir);
    const described = readDescription(JSON.parse(await readFile("dist/site/openapi.json", "utf8")));
    const system = await startLocalSystem({
      stateDir,
      bundleDir,
      ports: { ingest: 0, api: 0, clickhouse: 0 },
      aggregateVars: { LATE_DELAY_MS: "300" },
      onLog: log.write,
    });
    try {
      const bar = progressBar(command.cases, "cases");
      const report = await runFuzz(system, stateDir, described, {
        ...command,
        signal: interrupt.signal,
        onCase: (done) => bar?.update(done),
      });
      bar?.stop();
      process.stdout.write(command.json ? `${JSON.stringify(report)}\n` : describeReport(report));
      if (interrupt.signal.aborted) return 130;
      return report.faultCount > 0 ? 1 : 0;
    } finally {
      await system.stop();
    }
  } finally {
    await log.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}
