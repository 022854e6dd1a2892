import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { optionsOf } from "../../bench/options.ts";
import { buildDurableWorkers } from "../../scripts/durable-queues/bundle.ts";
import { failureText } from "../../scripts/failure-text.ts";
import { progressLine } from "../../scripts/progress-line.ts";
import { INTERRUPTED_EXIT_CODE, onStopSignals } from "../../scripts/stop-signals.ts";
import { chaosText } from "./chaos-report.ts";
import { RUNNING, runChaos } from "./run-chaos.ts";

const USAGE = `npm run chaos -- [--minutes 5] [--seed S] [--json] [--keep] [--bundles DIR]
  The whole system on this machine under load from several sources, while processes are killed and frozen, connections cut and disks slow. Then it
  is started cleanly, drained, and compared with what its senders were told: nothing lost, nothing double, no window wrong.
  --minutes M  for how long things go wrong (5); a minute or two for starting, draining and comparing come on top
  --seed S     what is sent, and which faults come in which order; another one each time unless given
  --json       the report as one JSON object
  --keep       keep the state also when all is well
  --bundles DIR  the Workers as an earlier run has built them there; built there if they are not

Exit code: 0 all is well; 1 something is lost, double or wrong: state, logs and the senders' record are kept, and where is said; 2 wrong usage; 130 Ctrl-C.`;

const optionsSchema = z.object({
  minutes: z.coerce.number().min(0.1).max(600),
  // Part of event ids, which leave so much room.
  seed: z.string().regex(/^[A-Za-z0-9._-]{1,32}$/, "1 to 32 of A-Z a-z 0-9 . _ -"),
  json: z.boolean(),
  keep: z.boolean(),
  bundles: z.string(),
});

async function main(): Promise<number> {
  const { minutes, seed, json, keep, bundles } = optionsOf(USAGE, optionsSchema, {
    minutes: "5",
    seed: String(Date.now()),
    json: false,
    keep: false,
    bundles: "",
  });
  const again = `npm run chaos -- --seed ${seed} --minutes ${minutes}`;
  const dir = await mkdtemp(join(tmpdir(), "tally-chaos-"));
  const progress = progressLine(process.stderr, Date.now);
  const interrupt = new AbortController();
  progress.note(`seed ${seed}`);
  let isKept = true;
  try {
    const bundleDir = bundles === "" ? join(dir, "bundles") : resolve(bundles);
    if (!existsSync(join(bundleDir, "api"))) {
      progress.note("… building the Workers");
      await buildDurableWorkers(bundleDir);
    }
    const report = await runChaos({
      seed,
      durationMs: minutes * 60_000,
      dir,
      bundleDir,
      interrupt: interrupt.signal,
      onStep: (step) => {
        if (step === RUNNING) onStopSignals(["SIGINT", "SIGTERM"], () => interrupt.abort()).takeOver();
        progress.note(`… ${step}`);
      },
      onProgress: ({ share, acknowledged, lastFault }) =>
        progress.update(share, `${acknowledged.toLocaleString("en-US")} events acknowledged | ${lastFault}`),
    });
    progress.end();
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : chaosText(report));
    isKept = keep || !report.ok;
    if (interrupt.signal.aborted) return INTERRUPTED_EXIT_CODE;
    return report.ok ? 0 : 1;
  } catch (error) {
    progress.end();
    process.stderr.write(`${failureText(error)}\n${error instanceof Error ? error.stack : ""}\n`);
    return 1;
  } finally {
    if (isKept) process.stderr.write(`kept: ${dir}\nagain: ${again}\n`);
    else await rm(dir, { recursive: true, force: true });
  }
}

process.exitCode = await main();
