import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChaos } from "./chaos/run-chaos.ts";
import { durableBundles } from "./durable-bundles.ts";

const SEED = process.env.TALLY_SEED ?? "ci";
/** `npm run chaos` takes five minutes. */
const DURATION_MS = 12_000;
/** Starting and comparing, and the ten minutes that it allows itself for coming to rest. */
const TEST_MS_MAX = 40 * 60_000;

test(
  "whatever is killed, frozen, cut off or slow, what was acknowledged is counted once in its window, and what was refused nowhere",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "tally-chaos-test-"));
    try {
      const report = await runChaos({ seed: SEED, durationMs: DURATION_MS, dir, bundleDir: await durableBundles() });
      const { lost, double, wrong_windows, dead_letters, differences, unrest } = report;
      expect({ lost, double, wrong_windows, dead_letters, differences, unrest }).toEqual({
        lost: 0,
        double: 0,
        wrong_windows: 0,
        dead_letters: 0,
        differences: [],
        unrest: { backlog: {}, late_windows: 0, replays: 0 },
      });
      // Otherwise nothing was tried.
      const { kills } = report.faults;
      expect(kills.workers + kills.clickhouse).toBeGreaterThan(0);
      expect(report.windows_compared.history).toBeGreaterThan(0);
      expect(report.events.acknowledged).toBeGreaterThan(0);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
  TEST_MS_MAX,
);
