import { z } from "zod";
import { liveResults, runLive } from "./live-run.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { optionsOf } from "./options.ts";
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

const startedMs = Date.now();
const figures = await runLive({
  listeners: options.listeners,
  idleMs: options["idle-seconds"] * 1_000,
  log: (line) => console.error(line),
});
const results = liveResults(figures);
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
