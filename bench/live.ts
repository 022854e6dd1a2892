import { randomUUID } from "node:crypto";
import { z } from "zod";
import { createKey, putMerchants } from "../scripts/directory.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { measureLive } from "./live-listeners.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { median, percentile, significant } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { post } from "./send.ts";
import { makeStateDir, startBenchSystem } from "./system.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run bench:live -- [--listeners 1200] [--idle-seconds 45] [--json]
  Listeners of one merchant, and so of one shard, on GET /v1/merchants/{id}/live: what they cost while nothing happens, and how soon all hear of a payment.
  --listeners     beside fifty that are there before
  --idle-seconds  how long nothing happens; beyond twenty there are comments in it
  --json          one JSON object as the last line`;

const optionsSchema = z.object({
  listeners: z.coerce.number().int().min(1).max(1_900),
  "idle-seconds": z.coerce.number().int().min(1).max(600),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, { listeners: "1200", "idle-seconds": "45", json: false });

const LISTENERS_WANTED = 1_000;
const MERCHANT = "live-shop";

const log = (line: string) => console.error(line);
const startedMs = Date.now();
const failures: string[] = [];
const system = await startBenchSystem({
  stateDir: await makeStateDir(),
  bundles: REAL_BUNDLES,
  shards: 1,
  onLog: (message) => failures.push(message),
});
try {
  const { runtime, sourceKey, pid } = system;
  await putMerchants(runtime.directory, [{ id: MERCHANT, name: "Shop", timezone: "UTC", currency: "JPY" }], startedMs);
  const key = await createKey(runtime.directory, "merchant", MERCHANT, startedMs);
  const pay = async () => {
    const event = {
      event_id: randomUUID(),
      type: "payment",
      merchant_id: MERCHANT,
      occurred_at: Date.now(),
      amount: 550,
      currency: "JPY",
      payment_method: "card",
    };
    const headers = { Authorization: `Bearer ${sourceKey}`, "Content-Type": "application/json" };
    const answer = await post({ url: `${runtime.ingestUrl}/v1/events`, headers }, Buffer.from(JSON.stringify(event)));
    if (answer.status !== 200) throw new Error(`a payment is answered ${answer.status}: ${answer.text}`);
  };
  await pay();
  const figures = await measureLive({
    listeners: options.listeners,
    idleMs: options["idle-seconds"] * 1_000,
    stream: {
      url: `${runtime.apiUrl}/v1/merchants/${MERCHANT}/live`,
      headers: { Authorization: `Bearer ${key}` },
    },
    pid,
    pay,
    log,
  });
  const results = {
    live_idle_listeners: figures.listeners,
    live_bytes_per_listener: significant(figures.bytesPerListener),
    live_idle_cpu_ms_per_second: significant(figures.idleCpuMsPerSecond),
    live_heard_p50_ms: significant(median(figures.heardMs)),
    live_heard_p99_ms: significant(percentile(figures.heardMs, 99)),
  };
  const machine = describeMachine();
  const date = new Date(startedMs).toISOString();
  if (options.json) {
    console.log(JSON.stringify({ ...results, idle_seconds: options["idle-seconds"], machine, date }));
  } else {
    const targets: Readonly<Record<string, string>> = { live_idle_listeners: `at least ${LISTENERS_WANTED}` };
    const rows = Object.entries(results).map(([name, value]) => [
      name.replaceAll("_", " "),
      String(value),
      targets[name] ?? "",
    ]);
    console.log(`${tableText([["", "measured", "wanted"], ...rows])}\n\n${machineLine(machine)}\n${date}`);
  }
} catch (error) {
  log(failures.slice(-5).join("\n"));
  throw error;
} finally {
  await system.stop();
}
