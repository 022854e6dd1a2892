import { ACTIVE_MS_PER_CALL, type Item } from "./bill.ts";
import type { Priced } from "./cost.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { significant } from "./numbers.ts";
import { tableText } from "./table.ts";

/** The targets of `bench:cost`. */
const USD_ASYNC_MAX = 15;
const USD_SYNC_MAX = 90;
const FLATNESS_MAX = 1.2;

export interface CostReport {
  readonly startedMs: number;
  /** Of the runs that are billed; the others are there to be compared with. */
  readonly merchants: number;
  readonly rate: number;
}

/** Prints a bill for each mode, or, for a program, the same as one JSON line. */
export function reportCost(priced: readonly Priced[], report: CostReport, json: boolean): void {
  const many = priced.filter(({ merchants }) => merchants === report.merchants);
  const few = priced.filter(({ merchants }) => merchants !== report.merchants);
  const flatness = many.map((run) =>
    flatnessOf(
      run,
      few.find(({ mode }) => mode === run.mode),
    ),
  );
  const machine = describeMachine();
  const date = new Date(report.startedMs).toISOString();
  if (!json) {
    for (const run of many) console.log(`${billText(run)}\n`);
    for (const line of flatness) if (line !== undefined) console.log(flatnessText(line));
    console.log(`\n${machineLine(machine)}\n${date}`);
    return;
  }
  const known = flatness.filter((line) => line !== undefined);
  console.log(
    JSON.stringify({
      ...Object.fromEntries(many.map(({ mode, bill }) => [`usd_per_billion_${mode}`, significant(bill.usd)])),
      ...Object.fromEntries(
        many.map(({ mode, bill }) => [`usd_per_billion_${mode}_active`, significant(bill.usd_active)]),
      ),
      ...(known.length > 0 ? { flatness: Math.max(...known.map(({ usd }) => usd)) } : {}),
      flatness_by_mode: known,
      runs: priced.map(runOf),
      rate: report.rate,
      machine,
      date,
      seconds: significant((Date.now() - report.startedMs) / 1_000),
    }),
  );
}

interface Flatness {
  readonly mode: Priced["mode"];
  /** Price and CPU of an event among many merchants over those among few; without the memory, which is the same. */
  readonly usd: number;
  readonly cpu: number;
}

function flatnessOf(many: Priced, few: Priced | undefined): Flatness | undefined {
  if (few === undefined) return undefined;
  const cpuOf = ({ result }: Priced) => result.cpuUs / result.events;
  return {
    mode: many.mode,
    usd: significant(many.bill.usd_variable / few.bill.usd_variable, 3),
    cpu: significant(cpuOf(many) / cpuOf(few), 3),
  };
}

function flatnessText({ mode, usd, cpu }: Flatness): string {
  return `${mode}: an event costs ${usd} × as much among ten times the merchants (at most ${FLATNESS_MAX}), and ${cpu} × the CPU`;
}

function runOf({ mode, merchants, result, bill }: Priced) {
  const { cpuUs, events, receipts, seconds, sentPerSecond, usage } = result;
  return {
    mode,
    merchants,
    events,
    usd: significant(bill.usd),
    usd_active: significant(bill.usd_active),
    usd_variable: significant(bill.usd_variable),
    cpu_us_per_event: significant(cpuUs / events),
    seconds: significant(seconds),
    sent_per_second: Math.round(sentPerSecond),
    receipts,
    items: bill.items.map((item) => ({ ...item, quantity: significant(item.quantity), usd: significant(item.usd) })),
    ...usage,
  };
}

function billText({ mode, merchants, result, bill }: Priced): string {
  const { events, usage, cpuUs } = result;
  const heading = ["a billion events", "quantity", "$ a million", "$"];
  const sum = (item: string, usd: number) => [item, "", "", usd.toFixed(2)];
  const rows = [
    ...bill.items.map(rowOf),
    sum(mode === "async" ? `in all (at most ${USD_ASYNC_MAX})` : `in all (at most ${USD_SYNC_MAX})`, bill.usd),
    sum(`in all, objects billed ${ACTIVE_MS_PER_CALL} ms a call`, bill.usd_active),
  ];
  return [
    `${mode}, ${events.toLocaleString("en")} events of ${merchants.toLocaleString("en")} merchants, sent at ${Math.round(result.sentPerSecond).toLocaleString("en")} a second, CPU ${(cpuUs / events).toFixed(1)} µs each`,
    tableText([heading, ...rows]),
    `calls: ${listOf(usage.calls)}`,
    `rows: ${listOf(usage.rows)}`,
    `messages: RAW ${usage.counters.raw_messages} of ${meanBytes(usage.counters.raw_bytes, usage.counters.raw_messages)} bytes, WINDOWS ${usage.counters.windows_messages} of ${meanBytes(usage.counters.windows_bytes, usage.counters.windows_messages)}`,
  ].join("\n");
}

function rowOf({ item, quantity, unit_usd, usd }: Item): string[] {
  return [item, Math.round(quantity).toLocaleString("en"), String(significant(unit_usd * 1e6, 3)), usd.toFixed(2)];
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count.toLocaleString("en")}`)
    .join(", ");
}

const meanBytes = (bytes: number, messages: number) => Math.round(bytes / Math.max(1, messages)).toLocaleString("en");
