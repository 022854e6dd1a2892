import { z } from "zod";
import { runAlerts } from "./alerts-run.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { optionsOf } from "./options.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run bench:alerts -- [--alerts 100000] [--per-merchant 2] [--baseline-percent 50] [--quiet-percent 1] [--rounds 2] [--json]
  What the cron of alerts takes when all of them are due at once, the first time, when what days are compared with is read too, and once more: run after run,
  until all were looked at.
  --alerts         how many there are
  --per-merchant   of each merchant
  --baseline-percent  of them are of a day that falls behind; the others of sales that stop
  --quiet-percent  of merchants that sell nothing, whose alerts fire: their notices go to a receiver in this process
  --rounds         how often all are due
  --json           one JSON object as the last line`;

const optionsSchema = z.object({
  alerts: z.coerce.number().int().min(1).max(1_000_000),
  "per-merchant": z.coerce.number().int().min(1).max(20),
  "quiet-percent": z.coerce.number().min(0).max(100),
  "baseline-percent": z.coerce.number().min(0).max(100),
  rounds: z.coerce.number().int().min(1).max(10),
  json: z.boolean(),
});
const options = optionsOf(USAGE, optionsSchema, {
  alerts: "100000",
  "per-merchant": "2",
  "quiet-percent": "1",
  "baseline-percent": "50",
  rounds: "2",
  json: false,
});

const startedMs = Date.now();
const runs = await runAlerts({
  alerts: options.alerts,
  perMerchant: options["per-merchant"],
  quietShare: options["quiet-percent"] / 100,
  baselineShare: options["baseline-percent"] / 100,
  rounds: options.rounds,
  log: (line) => console.error(line),
});
const machine = describeMachine();
const date = new Date(startedMs).toISOString();
if (options.json) {
  console.log(JSON.stringify({ ...options, runs, machine, date }));
} else {
  const names = ["round", "looked", "fired", "unknown", "overdue", "told", "seconds", "cpu_ms_per_look"] as const;
  const rows = runs.map((run) => names.map((name) => String(run[name])));
  console.log(
    `${tableText([names.map((name) => name.replaceAll("_", " ")), ...rows])}\n\n${machineLine(machine)}\n${date}`,
  );
}
