import type { QueueService } from "../../scripts/durable-queues/queue-service.ts";
import { type Difference, differenceOf, Ledger, type WindowTotals } from "../../scripts/ledger.ts";
import { sleep } from "../../scripts/sleep.ts";
import { completeThrough, WINDOW_MS, windowStart } from "../../shared/window.ts";
import { archivedIdentities, totalsOfApi, totalsOfHistory } from "../shown-totals.ts";
import type { ChaosSystem } from "./chaos-system.ts";
import type { SendersRecord } from "./senders-record.ts";

/** What is looked at of a system. */
export interface Compared extends Pick<ChaosSystem, "directory" | "archive" | "call" | "sql"> {
  readonly queues: { readonly store: Pick<QueueService["store"], "backlog"> };
}

/** How the system differs from what its senders know, by where it was looked. Windows by name, with what they should be. */
export interface Comparison {
  /** Acknowledged and not there; there and refused, or never sent. */
  readonly archive: { readonly lost: readonly string[]; readonly invented: readonly string[] };
  readonly api: Difference;
  readonly history: Difference;
  /** Windows compared; of history the closed ones. */
  readonly windows: { readonly api: number; readonly history: number };
  /** Events that were never acknowledged: how many there are, and how many of those are counted all the same. */
  readonly unacknowledged: { readonly sent: number; readonly counted: number };
}

/** What stands in the way of a comparison: the system is not at rest. */
export interface Unrest {
  readonly backlog: Readonly<Record<string, number>>;
  readonly late_windows: number;
  readonly replays: number;
}

const POLL_MS = 250;

/**
 * Waits until every queue is empty and nothing is to be counted anew, and compares; goes on while there are differences, which may be on
 * their way, until `timeoutMs` have passed.
 */
export async function drainAndCompare(
  system: Compared,
  record: SendersRecord,
  timeoutMs: number,
): Promise<{ readonly comparison: Comparison; readonly unrest: Unrest }> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const unrest = await unrestOf(system);
    const isOver = Date.now() > endMs;
    if (isQuiet(unrest) || isOver) {
      const comparison = await compare(system, record);
      if (isOver || (isEqual(comparison) && isQuiet(await unrestOf(system)))) return { comparison, unrest };
    }
    await sleep(POLL_MS);
  }
}

export function isEqual({ archive, api, history }: Pick<Comparison, "archive" | "api" | "history">): boolean {
  const isSame = ({ lost, double, windows }: Difference) => lost + double + windows.length === 0;
  return archive.lost.length + archive.invented.length === 0 && isSame(api) && isSame(history);
}

function isQuiet({ backlog, late_windows, replays }: Unrest): boolean {
  return Object.keys(backlog).length + late_windows + replays === 0;
}

async function unrestOf(system: Compared): Promise<Unrest> {
  const directory = await system.directory();
  const count = async (from: string) =>
    (await directory.prepare(`SELECT count(*) AS n FROM ${from}`).first<number>("n")) ?? 0;
  return {
    backlog: system.queues.store.backlog(),
    late_windows: await count("late_windows"),
    replays: await count("replays WHERE state = 'running'"),
  };
}

/**
 * The archive says which of the events that nobody acknowledged are in the log. Those, and all that were acknowledged, have to be counted,
 * exactly once, by the api and in history; no others.
 */
async function compare(system: Compared, record: SendersRecord): Promise<Comparison> {
  const archived = await archivedIdentities(await system.archive());
  const ledger = new Ledger();
  const lost: string[] = [];
  const unacknowledged = { sent: 0, counted: 0 };
  const allowed = new Set<string>();
  for (const [identity, { event, fate }] of record.events) {
    const isArchived = archived.has(identity);
    if (fate === "acknowledged" && !isArchived) lost.push(identity);
    if (fate === "unknown") unacknowledged.sent += 1;
    if (fate === "unknown" && isArchived) unacknowledged.counted += 1;
    if (fate !== "refused") allowed.add(identity);
    if (fate === "acknowledged" || (fate === "unknown" && isArchived)) ledger.acknowledge([event]);
  }
  const expected = ledger.totals();
  const shown = await totalsOfApi({ read: (path) => system.call(path) }, ...askedOf(expected));
  const isClosed = closedNow();
  const stored = await storedTotals(system);
  return {
    archive: { lost, invented: [...archived.difference(allowed)] },
    api: differenceOf(expected, shown),
    history: differenceOf(expected.filter(isClosed), stored.filter(isClosed)),
    windows: { api: expected.length, history: expected.filter(isClosed).length },
    unacknowledged,
  };
}

/** Merchants and the span of whole windows in which there should be something. */
function askedOf(expected: readonly WindowTotals[]) {
  const starts = expected.map(({ startMs }) => startMs);
  const [fromMs, toMs] = [starts.reduce((a, b) => Math.min(a, b)), starts.reduce((a, b) => Math.max(a, b))];
  const merchants = [...new Set(expected.map(({ merchant }) => merchant))];
  // Beyond it, too: an event must not have found its way into a window of its neighbourhood either.
  return [merchants, { fromMs: windowStart(fromMs) - WINDOW_MS, toMs: toMs + 2 * WINDOW_MS }] as const;
}

/** Of one moment: a window that closes meanwhile is compared by the next one who looks. */
function closedNow(): (window: WindowTotals) => boolean {
  const closedMs = completeThrough(Date.now());
  return ({ startMs }) => startMs + WINDOW_MS <= closedMs;
}

async function storedTotals(system: Compared): Promise<WindowTotals[]> {
  const sql = system.sql();
  try {
    return await totalsOfHistory(sql);
  } finally {
    await sql.close();
  }
}
