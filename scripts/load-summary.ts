import type { Receipt, ReceiptError } from "../clients/typescript/src/receipt.ts";
import type { NdjsonBatch } from "./ndjson-batches.ts";

/** What the summary itself keeps of the errors and failures, however many there are. */
export const ERRORS_KEPT_MAX = 10;
export const FAILED_BATCHES_KEPT_MAX = 100;

/** A receipt's error, by the line it is about instead of its place in a request. */
export type LineError = { line: number } & Omit<ReceiptError, "index">;

export type FailedBatch = { first_line: number; last_line: number; events: number; why: string };

export type LoadEnd =
  | { reason: "complete" }
  | { reason: "interrupted" }
  | { reason: "key_refused"; why: string }
  | { reason: "server_gone"; why: string }
  | { reason: "unreadable"; why: string };

export type LoadSummary = {
  end: LoadEnd;
  /** Events of the batches that were answered; the counts after it are the sums of their receipts. */
  events: number;
  accepted: number;
  duplicates: number;
  late: number;
  rejected: number;
  queued: number;
  /** Events that the receipts say nothing of: always 0, since a receipt's counts add up to what was sent. */
  unaccounted: number;
  retries: number;
  seconds: number;
  events_per_second: number;
  /** As they went over the wire, retries included. */
  bytes_sent: number;
  batches: number;
  failed_batches: number;
  failed_events: number;
  failed: FailedBatch[];
  /** The last line that was part of any batch, sent or failed; loading can go on after it. */
  last_line: number;
  errors: LineError[];
  errors_by_code: Record<string, number>;
};

export function emptySummary(): LoadSummary {
  return {
    end: { reason: "complete" },
    events: 0,
    accepted: 0,
    duplicates: 0,
    late: 0,
    rejected: 0,
    queued: 0,
    unaccounted: 0,
    retries: 0,
    seconds: 0,
    events_per_second: 0,
    bytes_sent: 0,
    batches: 0,
    failed_batches: 0,
    failed_events: 0,
    failed: [],
    last_line: 0,
    errors: [],
    errors_by_code: {},
  };
}

/** Adds an answered batch; returns the receipt's errors by line, which the summary keeps only the first of. */
export function addReceipt(summary: LoadSummary, batch: NdjsonBatch, receipt: Receipt): LineError[] {
  summary.batches += 1;
  summary.events += batch.lineNumbers.length;
  summary.accepted += receipt.accepted;
  summary.duplicates += receipt.duplicates;
  summary.late += receipt.late;
  summary.rejected += receipt.rejected;
  summary.queued += receipt.queued;
  const { accepted, duplicates, late, rejected, queued } = receipt;
  summary.unaccounted += Math.abs(batch.lineNumbers.length - (accepted + duplicates + late + rejected + queued));
  const errors = receipt.errors.map(({ index, ...error }) => ({ line: batch.lineNumbers[index] ?? 0, ...error }));
  for (const error of errors) {
    summary.errors_by_code[error.code] = (summary.errors_by_code[error.code] ?? 0) + 1;
  }
  // Batches are answered in any order; those of the first lines of the file are told.
  const kept = [...summary.errors, ...errors].sort((a, b) => a.line - b.line);
  summary.errors = kept.slice(0, ERRORS_KEPT_MAX);
  return errors;
}

export function addFailure(summary: LoadSummary, batch: NdjsonBatch, why: string): void {
  const events = batch.lineNumbers.length;
  summary.failed_batches += 1;
  summary.failed_events += events;
  if (summary.failed.length < FAILED_BATCHES_KEPT_MAX) {
    summary.failed.push({ first_line: batch.lineNumbers[0] ?? 0, last_line: lastLine(batch), events, why });
  }
}

export function addTime(summary: LoadSummary, elapsedMs: number): void {
  summary.seconds = elapsedMs / 1000;
  summary.events_per_second = elapsedMs === 0 ? 0 : Math.round((summary.events * 1000) / elapsedMs);
}

export function lastLine(batch: NdjsonBatch): number {
  return batch.lineNumbers.at(-1) ?? 0;
}
