import type { LoadSummary } from "./load-summary.ts";

const FAILED_SHOWN_MAX = 10;

/** The end of a load for a person: the sums as a table, then what went wrong, if anything did. */
export function loadReport(summary: LoadSummary, file: string): string {
  return `${[table(summary), ...ending(summary, file), ...failures(summary), ...gaps(summary), ...errors(summary)].join("\n\n")}\n`;
}

/**
 * 0: every batch was answered and every event taken. 1: something was not sent, or not accounted for. 3: all was sent, some events were rejected.
 * 130: interrupted. (2, a wrong command line, never gets as far as a summary.)
 */
export function exitCode(summary: LoadSummary): 0 | 1 | 3 | 130 {
  if (summary.end.reason === "interrupted") return 130;
  if (summary.end.reason !== "complete" || summary.failed_batches + summary.unaccounted > 0) return 1;
  return summary.rejected > 0 ? 3 : 0;
}

function table(summary: LoadSummary): string {
  const rows: [string, string][] = [
    ["events", grouped(summary.events)],
    ["accepted", grouped(summary.accepted)],
    ["duplicates", grouped(summary.duplicates)],
    ["late", grouped(summary.late)],
    ["rejected", grouped(summary.rejected)],
    ["queued", grouped(summary.queued)],
    ["retries", grouped(summary.retries)],
    ["seconds", summary.seconds.toFixed(1)],
    ["events/s", grouped(summary.events_per_second)],
    ["bytes sent", grouped(summary.bytes_sent)],
  ];
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `${name.padEnd(nameWidth)}  ${value.padStart(valueWidth)}`).join("\n");
}

function ending({ end, last_line }: LoadSummary, file: string): string[] {
  switch (end.reason) {
    case "complete":
      return [];
    case "interrupted":
      return [
        `Interrupted after line ${grouped(last_line)} of ${file}. Load it again: what was counted is a duplicate then.`,
      ];
    case "key_refused":
      return [`The key was refused, so nothing more was sent: ${end.why}`];
    case "server_gone":
      return [`Stopped after line ${grouped(last_line)} of ${file}, since no batch got through any more: ${end.why}`];
    case "unreadable":
      return [`${last_line === 0 ? "Nothing was sent" : `Stopped after line ${grouped(last_line)}`}: ${end.why}`];
    default:
      return end satisfies never;
  }
}

function failures({ end, failed, failed_batches, failed_events }: LoadSummary): string[] {
  if (failed_batches === 0 || end.reason === "key_refused") return [];
  const shown = [...failed].sort((a, b) => a.first_line - b.first_line).slice(0, FAILED_SHOWN_MAX);
  const lines = shown.map(
    ({ first_line, last_line, why }) => `  lines ${grouped(first_line)} to ${grouped(last_line)}: ${why}`,
  );
  if (failed_batches > shown.length) lines.push(`  and ${grouped(failed_batches - shown.length)} more`);
  const head = `${counted(failed_batches, "batch", "batches")} (${counted(failed_events, "event", "events")}) not answered:`;
  return [[head, ...lines].join("\n")];
}

function gaps({ unaccounted }: LoadSummary): string[] {
  if (unaccounted === 0) return [];
  return [`The receipts' counts are off by ${counted(unaccounted, "event", "events")}: a fault of the server.`];
}

function errors({ errors, errors_by_code }: LoadSummary): string[] {
  if (errors.length === 0) return [];
  const codes = Object.entries(errors_by_code).sort(([, a], [, b]) => b - a);
  const total = codes.reduce((sum, [, count]) => sum + count, 0);
  const lines = [...errors]
    .sort((a, b) => a.line - b.line)
    .map(({ line, event_id, code, path, message }) => {
      const where = [`line ${grouped(line)}`, ...(event_id === undefined ? [] : [event_id])].join(", ");
      return `  ${where}: ${code}${path === undefined ? "" : ` at ${path}`}: ${message}`;
    });
  const head =
    total > lines.length
      ? `${grouped(total)} errors, ${lines.length} of them:`
      : `${counted(total, "error", "errors")}:`;
  const sums = codes.map(([code, count]) => `  ${grouped(count)} ${code}`);
  return [[head, ...lines, ...(total > lines.length ? ["in all:", ...sums] : [])].join("\n")];
}

function counted(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
