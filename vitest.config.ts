import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const IN_WORKERD = "workers/**/*.workerd.test.ts";

/**
 * `core`: pure code and scripts, in Node. `workerd`: the shard in the real runtime. `system`: all three Workers with a real ClickHouse, each file with
 * a system of its own. `e2e`: the same, with the dashboard in a real browser.
 */
export default defineConfig({
  test: {
    // One more than CI has cores: two systems leave the cores idle for a third of their time, waiting for queues and alarms.
    maxWorkers: 3,
    // CI asks for a report it can count from.
    reporters: process.env.TEST_REPORT === undefined ? ["default"] : ["default", "json"],
    outputFile: { json: process.env.TEST_REPORT ?? "" },
    projects: [
      {
        test: {
          name: "core",
          include: [
            "shared/**/*.test.ts",
            "workers/**/*.test.ts",
            "scripts/**/*.test.ts",
            "clients/**/*.test.ts",
            "clickhouse/**/*.test.ts",
            "simulation/**/*.test.ts",
            "fuzz/**/*.test.ts",
          ],
          exclude: [IN_WORKERD],
          // Pure code: two hundred files need no process each.
          isolate: false,
          // Some count for a minute where nothing else runs, and for many on a slow machine that is busy.
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml", environment: "aggregate" },
            miniflare: {
              bindings: {
                IDENTITY_KEY: "000102030405060708090a0b0c0d0e0f",
                CLICKHOUSE_PASSWORD: "none",
                CORRECTION_DELAY_MS: "50",
              },
              ratelimits: {
                RATE_LIMITER: { namespace_id: "1", simple: { limit: 3, period: 60 } },
                ADDRESS_LIMITER: { namespace_id: "2", simple: { limit: 3, period: 60 } },
              },
            },
          }),
        ],
        test: { name: "workerd", include: [IN_WORKERD], testTimeout: 600_000, hookTimeout: 600_000 },
      },
      {
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          globalSetup: ["test/build-once.ts"],
          setupFiles: ["test/conforming-fetch.ts"],
          // What a test waits for has a limit of its own, of five minutes (test/system.ts).
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/build-once.ts"],
          // When the others are done: a page that is waited for wants a core.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          // As long as Playwright waits (`WAIT_MS_MAX`, test/system.ts): a page is asked for the same things by either.
          expect: { poll: { timeout: 300_000 } },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
