import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readQueues, withSettings } from "./queue-settings.ts";

test("the queues are those of wrangler.toml, each dead-letter queue among them", () => {
  const queues = readQueues();
  expect([...queues.keys()].sort()).toEqual(["tally-raw", "tally-raw-dead", "tally-windows", "tally-windows-dead"]);
  expect(queues.get("tally-raw")).toMatchObject({ maxBatchSize: 100, deadLetterQueue: "tally-raw-dead" });
  expect(queues.get("tally-windows")).toMatchObject({ maxConcurrency: 2 });
});

test("what a file does not say is the platform's default, and a queue without a consumer has no settings", async () => {
  const dir = await mkdtemp(join(tmpdir(), "tally-queues-"));
  try {
    const path = join(dir, "wrangler.toml");
    const environments = ["ingest", "api"].map((name) => `[env.${name}]\nname = "${name}"`);
    await writeFile(
      path,
      `${environments.join("\n")}
       [env.aggregate]
       name = "aggregate"
       [[env.aggregate.queues.producers]]
       binding = "KEPT"
       queue = "kept"
       [[env.aggregate.queues.consumers]]
       queue = "plain"
       retry_delay = 7`,
    );
    const queues = readQueues(path);
    expect(queues.get("kept")).toBeUndefined();
    expect(queues.has("kept")).toBe(true);
    expect(queues.get("plain")).toEqual({
      maxBatchSize: 10,
      maxBatchTimeoutMs: 5_000,
      maxRetries: 3,
      retryDelayMs: 7_000,
      maxConcurrency: 4,
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test("settings can be replaced for all queues that are consumed", () => {
  const queues = withSettings(readQueues(), { maxBatchTimeoutMs: 10 });
  for (const settings of queues.values()) expect(settings?.maxBatchTimeoutMs).toBe(10);
  expect(queues.get("tally-raw")?.maxRetries).toBe(100);
});
