import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setInterval as every } from "node:timers/promises";
import { ChaosSystem } from "./chaos-system.ts";
import { type Comparison, drainAndCompare, isEqual, type Unrest } from "./comparison.ts";
import { type FaultCounts, wreakHavoc } from "./faults.ts";
import { SendersRecord } from "./senders-record.ts";
import { runSource, SOURCES, type SourceCount } from "./sources.ts";

export interface ChaosOptions {
  readonly seed: string;
  /** How long everything goes wrong; starting, draining and comparing come on top. */
  readonly durationMs: number;
  /** Takes all state, the Workers' log, the list of faults and the senders' record; it is the caller's to remove. */
  readonly dir: string;
  /** As `buildDurableWorkers` makes them. */
  readonly bundleDir: string;
  readonly onProgress?: (progress: ChaosProgress) => void;
  readonly onStep?: (step: string) => void;
  /** Ends the sending early. */
  readonly interrupt?: AbortSignal;
}

export interface ChaosProgress {
  /** 0 to 1, of the time in which things go wrong. */
  readonly share: number;
  readonly acknowledged: number;
  readonly lastFault: string;
}

/** What a run comes to. `lost`, `double` and `wrong_windows` are sums over archive, api and history. */
export interface ChaosReport {
  readonly seed: string;
  readonly seconds: number;
  readonly ok: boolean;
  readonly lost: number;
  readonly double: number;
  readonly wrong_windows: number;
  readonly longest_without_accepted_ms: number;
  readonly events: {
    readonly acknowledged: number;
    readonly refused: number;
    readonly unacknowledged: number;
    readonly unacknowledged_counted: number;
  };
  readonly requests: SourceCount;
  readonly faults: FaultCounts & { readonly connections_cut: number; readonly batches_cut_off: number };
  readonly windows_compared: Comparison["windows"];
  readonly drained_ms: number;
  readonly dead_letters: number;
  /** What was still on its way at the end; nothing, if all is well. */
  readonly unrest: Unrest;
  readonly differences: readonly string[];
}

/** The step in which things go wrong. */
export const RUNNING = "everything goes wrong";

/** For queues to be emptied, and everything that waits to be counted, after a clean start: a busy machine takes most of a minute for each of two dozen replays. */
const DRAIN_MS_MAX = 30 * 60_000;
const PROGRESS_MS = 250;
const DIFFERENCES_SHOWN_MAX = 50;

/**
 * Runs the whole system under load from several sources while everything goes wrong, by `seed`; starts it cleanly, waits until it has come to
 * rest, and compares it with what its senders know. The seed repeats what is sent and which faults come in which order, not the moments at
 * which processes meet them. Throws when it cannot be run; what it finds is in the report.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, dir, bundleDir, durationMs, onStep = () => {} } = options;
  onStep("starting");
  const system = await ChaosSystem.start({ dir, bundleDir, seed }, SOURCES);
  try {
    onStep(RUNNING);
    const { record, counts, requests } = await disturb(options, system);
    onStep("started cleanly, draining");
    const faults = { ...counts, connections_cut: system.cuts, batches_cut_off: system.queues.deliveries.failed };
    await writeRecord(dir, record);
    const beganMs = Date.now();
    await system.startCleanly();
    await hurry(system);
    const { comparison, unrest } = await drainAndCompare(system, record, DRAIN_MS_MAX);
    return {
      ...judged(comparison, unrest, await deadLetters(system)),
      seed,
      seconds: durationMs / 1000,
      longest_without_accepted_ms: record.longestGapMs,
      events: eventsOf(record, comparison),
      requests,
      faults,
      windows_compared: comparison.windows,
      drained_ms: Date.now() - beganMs,
      unrest,
    };
  } finally {
    await system.stop();
  }
}

async function disturb(options: ChaosOptions, system: ChaosSystem) {
  const { seed, dir, durationMs, onProgress, interrupt } = options;
  const startedMs = Date.now();
  const record = new SendersRecord(startedMs);
  const failure = new AbortController();
  const ends = [AbortSignal.timeout(durationMs), failure.signal, ...(interrupt === undefined ? [] : [interrupt])];
  const stop = AbortSignal.any(ends);
  const notes: string[] = [];
  let answers = 0;
  const note = (what: string) => {
    notes.push(`${new Date().toISOString()} ${what}`);
  };
  const sources = Array.from({ length: SOURCES }, (_, place) =>
    runSource(
      {
        seed,
        place,
        target: { url: system.ingestUrl, key: system.sourceKeys[place] ?? "" },
        startedMs,
        stop,
        abort: failure.signal,
        onAnswer: () => {
          answers += 1;
        },
      },
      record,
    ),
  );
  const havoc = wreakHavoc({ system, seed, stop, answers: () => answers, note });
  const watching = watch(stop, () =>
    onProgress?.({
      share: Math.min(1, (Date.now() - startedMs) / durationMs),
      acknowledged: record.acknowledged,
      lastFault: notes.at(-1)?.slice("2026-01-01T00:00:00.000Z ".length) ?? "",
    }),
  );
  try {
    const [counts, ...byKind] = await Promise.all([havoc, ...sources]);
    record.noteAccepted(Date.now());
    return { record, counts, requests: sumOf(byKind) };
  } catch (error) {
    // Whatever failed, the others are not to go on with a system that is about to stop.
    failure.abort();
    await Promise.allSettled([havoc, ...sources]);
    await writeRecord(dir, record);
    throw error;
  } finally {
    failure.abort();
    await watching;
    await writeFile(join(dir, "faults.log"), `${notes.join("\n")}\n`);
  }
}

async function watch(stop: AbortSignal, show: () => void): Promise<void> {
  try {
    for await (const _ of every(PROGRESS_MS, undefined, { signal: stop })) show();
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/** What failed while something was away waits for its next try, up to minutes; here it comes at once. */
async function hurry(system: ChaosSystem): Promise<void> {
  system.queues.endDelays();
  await (await system.directory()).prepare("UPDATE late_windows SET retry_at = 0").run();
  await system.runCron();
}

function judged({ archive, api, history }: Comparison, unrest: Unrest, deadLetters: number) {
  const lost = archive.lost.length + api.lost + history.lost;
  const double = archive.invented.length + api.double + history.double;
  const wrong_windows = api.windows.length + history.windows.length;
  const differences = [
    ...archive.lost.map((identity) => `archive: ${identity} is lost`),
    ...archive.invented.map((identity) => `archive: ${identity} should not be there`),
    ...api.windows.map((window) => `api: ${window}`),
    ...history.windows.map((window) => `ClickHouse: ${window}`),
  ];
  const waiting = Object.keys(unrest.backlog).length + unrest.late_windows + unrest.replays;
  const ok = lost + double + wrong_windows + waiting + deadLetters === 0 && isEqual({ archive, api, history });
  return {
    ok,
    lost,
    double,
    wrong_windows,
    dead_letters: deadLetters,
    differences: differences.slice(0, DIFFERENCES_SHOWN_MAX),
  };
}

function eventsOf(record: SendersRecord, { unacknowledged }: Comparison): ChaosReport["events"] {
  const refused = [...record.events.values()].filter(({ fate }) => fate === "refused").length;
  return {
    acknowledged: record.acknowledged,
    refused,
    unacknowledged: unacknowledged.sent,
    unacknowledged_counted: unacknowledged.counted,
  };
}

function sumOf(counts: readonly SourceCount[]): SourceCount {
  return counts.reduce((a, b) => ({
    requests: a.requests + b.requests,
    repeated: a.repeated + b.repeated,
    givenUp: a.givenUp + b.givenUp,
  }));
}

async function deadLetters(system: ChaosSystem): Promise<number> {
  const directory = await system.directory();
  return (await directory.prepare("SELECT count(*) AS n FROM dead_letters").first<number>("n")) ?? -1;
}

/** One line an event: what its sender knows, and the event as it was sent first. */
async function writeRecord(dir: string, record: SendersRecord): Promise<void> {
  const lines = [...record.events.values()].map(({ event, fate }) => JSON.stringify({ fate, ...event }));
  await writeFile(join(dir, "senders-record.ndjson"), `${lines.join("\n")}\n`);
}
