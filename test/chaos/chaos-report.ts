import { tableText } from "../../bench/table.ts";
import type { ChaosReport } from "./run-chaos.ts";

const grouped = (count: number) => count.toLocaleString("en-US");
const WIDTH_MAX = 200;

/** For people; `--json` has the same. */
export function chaosText(report: ChaosReport): string {
  const { faults, events, requests, windows_compared: windows, unrest } = report;
  const { kills, spells } = faults;
  const rows = [
    ["lost", grouped(report.lost)],
    ["double", grouped(report.double)],
    ["wrong windows", grouped(report.wrong_windows)],
    ["longest without an accepted event, s", (report.longest_without_accepted_ms / 1000).toFixed(1)],
    ["events acknowledged", grouped(events.acknowledged)],
    ["events refused, in no count", grouped(events.refused)],
    ["events never acknowledged", grouped(events.unacknowledged)],
    ["  of which are counted, once", grouped(events.unacknowledged_counted)],
    ["requests", grouped(requests.requests)],
    ["  sent again until they were answered", grouped(requests.repeated)],
    ["  given up", grouped(requests.givenUp)],
    ["kills of the Workers", grouped(kills.workers)],
    ["kills of ClickHouse", grouped(kills.clickhouse)],
    ["ClickHouse frozen", grouped(faults.clickhouse_frozen)],
    ["spells of a slow disk", grouped(faults.slow_disk)],
    ["spells of bad connections: cutting, slow, stalled", `${spells.cutting}, ${spells.slow}, ${spells.stalled}`],
    ["  connections cut", grouped(faults.connections_cut)],
    ["batches cut off from their consumer", grouped(faults.batches_cut_off)],
    ["replays, crons", `${faults.replays}, ${faults.crons}`],
    ["windows compared: api, ClickHouse", `${grouped(windows.api)}, ${grouped(windows.history)}`],
    ["drained and compared after, s", (report.drained_ms / 1000).toFixed(1)],
    ["dead letters", grouped(report.dead_letters)],
  ];
  const parts = [tableText([[`seed ${report.seed}, ${report.seconds} s`, report.ok ? "well" : "NOT WELL"], ...rows])];
  const waiting = Object.keys(unrest.backlog).length + unrest.late_windows + unrest.replays;
  if (waiting > 0) parts.push(`Still on its way: ${JSON.stringify(unrest)}`);
  if (report.differences.length > 0) parts.push(report.differences.map((line) => line.slice(0, WIDTH_MAX)).join("\n"));
  return `${parts.join("\n\n")}\n`;
}
