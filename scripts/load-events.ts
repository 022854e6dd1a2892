import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { type PostBody, type PostDeps, type PostTarget, postBatch } from "../clients/typescript/src/post-events.ts";
import { failureText } from "./failure-text.ts";
import {
  addFailure,
  addReceipt,
  addTime,
  emptySummary,
  type LineError,
  type LoadEnd,
  type LoadSummary,
  lastLine,
} from "./load-summary.ts";
import type { NdjsonBatch } from "./ndjson-batches.ts";

/** So many batches failing one after the other mean that the server is gone, not that the batches are bad. */
export const FAILURES_IN_A_ROW_MAX = 8;

export type LoadOptions = { target: PostTarget; concurrency: number; gzip: boolean };

export type LoadDeps = PostDeps & {
  nowMs: () => number;
  /** Called after every batch with the sums so far, an object that goes on changing. */
  onProgress?: (summary: Readonly<LoadSummary>) => void;
  /** Called with every error of every receipt. */
  onErrors?: (errors: readonly LineError[]) => Promise<void>;
};

/**
 * Sends batches, `concurrency` at a time, and sums their receipts. Batches are taken in order and only when a place is free,
 * so no more than `concurrency` are held. A batch that fails is noted and the others go on, until the key is refused or
 * nothing gets through any more. Rejects only when `onErrors` does.
 */
export async function loadEvents(
  batches: AsyncGenerator<NdjsonBatch>,
  options: LoadOptions,
  deps: LoadDeps,
): Promise<LoadSummary> {
  const startedMs = deps.nowMs();
  const summary = emptySummary();
  const halt = new AbortController();
  const stop = deps.stop === undefined ? halt.signal : AbortSignal.any([halt.signal, deps.stop]);
  let failuresInARow = 0;

  const endFor = (end: LoadEnd) => {
    if (summary.end.reason === "complete") summary.end = end;
    halt.abort();
  };

  const fail = (batch: NdjsonBatch, why: string) => {
    addFailure(summary, batch, why);
    failuresInARow += 1;
    if (failuresInARow >= FAILURES_IN_A_ROW_MAX) endFor({ reason: "server_gone", why });
  };

  const send = async (batch: NdjsonBatch) => {
    const outcome = await postBatch(options.target, await wireBody(batch, options.gzip), { ...deps, stop });
    summary.retries += Math.max(0, outcome.attempts - 1);
    summary.bytes_sent += outcome.sentBytes;
    switch (outcome.reason) {
      case "answered":
        failuresInARow = 0;
        return deps.onErrors?.(addReceipt(summary, batch, outcome.receipt));
      case "stopped":
        endFor({ reason: "interrupted" });
        return addFailure(summary, batch, "stopped before it was answered");
      case "key_refused":
        endFor({ reason: "key_refused", why: outcome.why });
        return addFailure(summary, batch, outcome.why);
      case "refused":
      case "gave_up":
        return fail(batch, outcome.why);
      default:
        return outcome satisfies never;
    }
  };

  const takeNext = async (): Promise<NdjsonBatch | undefined> => {
    try {
      const next = await batches.next();
      if (!stop.aborted) return next.done ? undefined : next.value;
      endFor({ reason: "interrupted" });
    } catch (error) {
      endFor(stop.aborted ? { reason: "interrupted" } : { reason: "unreadable", why: failureText(error) });
    }
    return undefined;
  };

  const work = async () => {
    for (let batch = await takeNext(); batch !== undefined; batch = await takeNext()) {
      summary.last_line = Math.max(summary.last_line, lastLine(batch));
      await send(batch);
      addTime(summary, deps.nowMs() - startedMs);
      deps.onProgress?.(summary);
    }
  };

  await Promise.all(Array.from({ length: options.concurrency }, work));
  addTime(summary, deps.nowMs() - startedMs);
  return summary;
}

const compress = promisify(gzip);

async function wireBody(batch: NdjsonBatch, isGzip: boolean): Promise<PostBody> {
  if (!isGzip) return { bytes: batch.body, gzip: false };
  // The fastest level: it already makes events a small part of their size, and the loader often shares a machine with the server.
  const bytes = await compress(batch.body, { level: constants.Z_BEST_SPEED });
  return { bytes: new Uint8Array(bytes), gzip: true };
}
