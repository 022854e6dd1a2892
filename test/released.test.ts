import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { QueueService } from "../scripts/durable-queues/queue-service.ts";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { differences, loadTruth, storedHistory, truth } from "../scripts/ground-truth.ts";
import { DAY_MS, HOUR_MS } from "../shared/window.ts";
import { durableBundles } from "./durable-bundles.ts";
import { EVENTS_FILE, RELEASED_DIR, shardRows, startQueues, unpack } from "./released/released-state.ts";
import { startTestSystem, type TestSystem, until } from "./system.ts";

const REPEATED = 40;
const recorded = (await readdir(RELEASED_DIR)).filter((name) => name.endsWith(".tar.gz"));

let bundleDir: string;
let dir: string;
let queues: QueueService | undefined;
let tally: TestSystem | undefined;

beforeAll(async () => {
  bundleDir = await durableBundles();
});
afterEach(async () => {
  await tally?.stop();
  await queues?.stop();
  [tally, queues] = [undefined, undefined];
  await rm(dir, { recursive: true, force: true });
});

test.each(recorded)(
  "what %s left in journals, pages, queues and the archive is read: every event is counted once",
  async (file) => {
    dir = await mkdtemp(join(tmpdir(), "tally-released-"));
    await unpack(file, dir);
    for (const table of ["page", "journal", "sealed"] as const) expect(await shardRows(dir, table)).toBeGreaterThan(0);
    queues = await startQueues(dir);
    const started = await startTestSystem(dir, { bundleDir, queues });
    tally = started;
    const events = (await readFile(join(dir, EVENTS_FILE), "utf8")).trimEnd().split("\n");
    await loadTruth(started.sql, createReadStream(join(dir, EVENTS_FILE)));
    const expected = await truth(started.sql);

    // Its history was not recorded, so what the shards do not bring comes from the archive.
    const moments = events.map((line) => Number((JSON.parse(line) as PaymentEventInput).occurred_at));
    await replay(started, Math.min(...moments), Math.min(Math.max(...moments), Date.now() - DAY_MS));
    const unlike = async () => differences(expected, await storedHistory(started.sql));
    await until("all of it in history", async () => ((await unlike()).length === 0 ? true : undefined));

    // Whoever had no answer before the update sends again after it.
    const again = events.slice(-REPEATED).map((line) => JSON.parse(line) as PaymentEventInput);
    expect((await started.send(again)).status).toBe(200);
    await until("repeats to be read by the log", async () =>
      Object.keys(queues?.store.backlog() ?? {}).length === 0 ? true : undefined,
    );
    await until("repeats to be known as such", async () => ((await unlike()).length === 0 ? true : undefined));
  },
);

test("each version that was released has left something to read", async () => {
  const changelog = await readFile(join(RELEASED_DIR, "../../CHANGELOG.md"), "utf8");
  const versions = [...changelog.matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, version]) => `${version}.tar.gz`);
  expect(recorded).toEqual(expect.arrayContaining(versions));
});

async function replay({ runtime, operatorKey, read }: TestSystem, fromMs: number, toMs: number): Promise<void> {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms - (ms % HOUR_MS)).toISOString());
  const begun = await fetch(`${runtime.apiUrl}/v1/admin/replays`, {
    method: "POST",
    headers: { Authorization: `Bearer ${operatorKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ from, to }),
  });
  expect(begun.status).toBe(202);
  const { id } = (await begun.json()) as { id: string };
  const { damaged_objects } = await until("the replay to end", async () => {
    const shown = (await (await read(`/v1/admin/replays/${id}`)).json()) as {
      state: string;
      damaged_objects: object[];
    };
    return ["running", "waiting"].includes(shown.state) ? undefined : shown;
  });
  expect(damaged_objects).toEqual([]);
}
