import { spawn } from "node:child_process";
import { once } from "node:events";
import { integerBetween, pick, pickByWeight, type Random, seededRandom } from "../../scripts/seeded-random.ts";
import { sleep } from "../../scripts/sleep.ts";
import { HOUR_MS } from "../../shared/window.ts";
import type { ChaosSystem, Crossing } from "./chaos-system.ts";
import type { Weather } from "./flaky-proxy.ts";
import { AGE_MS_MAX } from "./sources.ts";

/** How often each fault has happened, and what was asked for in between. */
export interface FaultCounts {
  readonly kills: { workers: number; clickhouse: number };
  clickhouse_frozen: number;
  slow_disk: number;
  /** Spells of bad connections, by what they were. */
  readonly spells: { cutting: number; slow: number; stalled: number };
  replays: number;
  crons: number;
}

export interface Chaos {
  readonly system: ChaosSystem;
  readonly seed: string;
  /** No fault begins after this; one that has begun is ended properly. */
  readonly stop: AbortSignal;
  /** How many requests were answered so far. */
  readonly answers: () => number;
  readonly note: (what: string) => void;
}

/** Between two faults of the same part, after it has come back. */
const PAUSE_MS = {
  workers: [500, 6_000],
  clickhouse: [3_000, 12_000],
  connections: [2_000, 9_000],
  operators: [3_000, 15_000],
} as const;
/** For parts to be back, within seconds on a machine that does nothing else; longer is a failure of the run. */
const BACK_MS_MAX = 300_000;
/** For an operator's call to be answered; one to a process that was killed never is. */
const CALL_MS_MAX = 15_000;
const POLL_MS = 20;
/** After a batch went to its consumer: in the middle of what that does. */
const AFTER_DELIVERY_MS_MAX = 40;
const FREEZE_MS = [1_000, 12_000] as const;
const SPELL_MS = [1_000, 7_000] as const;
const SLOW_DISK_MS = [1_500, 5_000] as const;
/** A slow disk stops whoever writes to it for so long at a time, and lets it go on for so long. */
const DISK_WAIT_MS = [20, 300] as const;
const DISK_WORK_MS = [5, 60] as const;

/** Lets things go wrong in all parts at once, each by itself, until it is stopped; then all of them are back. */
export async function wreakHavoc(chaos: Chaos): Promise<FaultCounts> {
  const counts: FaultCounts = {
    kills: { workers: 0, clickhouse: 0 },
    clickhouse_frozen: 0,
    slow_disk: 0,
    spells: { cutting: 0, slow: 0, stalled: 0 },
    replays: 0,
    crons: 0,
  };
  const tasks = {
    workers: disturbWorkers,
    clickhouse: disturbClickHouse,
    connections: disturbConnections,
    operators: operate,
  };
  await Promise.all(
    Object.entries(tasks).map(async ([name, disturb]) => {
      const random = seededRandom(chaos.seed, "faults", name);
      const [minMs, maxMs] = PAUSE_MS[name as keyof typeof PAUSE_MS];
      while (!chaos.stop.aborted) {
        await sleep(integerBetween(random, minMs, maxMs), chaos.stop);
        if (!chaos.stop.aborted) await disturb(chaos, counts, random);
      }
    }),
  );
  return counts;
}

async function disturbWorkers(chaos: Chaos, counts: FaultCounts, random: Random): Promise<void> {
  const pid = await chaos.system.workerd();
  if (pid === undefined) return;
  if (random() < 0.2) {
    counts.slow_disk += 1;
    await slowDisk(chaos, pid, random);
    return;
  }
  if (random() < 0.5) {
    await Promise.race([chaos.system.nextDelivery(), sleep(BACK_MS_MAX, chaos.stop)]);
    await sleep(integerBetween(random, 0, AFTER_DELIVERY_MS_MAX));
  }
  chaos.note("kill -9 of the Workers");
  process.kill(pid, "SIGKILL");
  counts.kills.workers += 1;
  await untilBack("the Workers", chaos, async () => {
    const found = await chaos.system.workerd();
    return found !== undefined && found !== pid;
  });
}

/**
 * The Workers run in one thread, which writes to disk itself and waits until it is there. A disk that takes its time is a process that stands
 * still at any moment, which is what SIGSTOP makes of it.
 */
async function slowDisk({ note }: Chaos, pid: number, random: Random): Promise<void> {
  note("the Workers' disk is slow");
  const pauses: Pause[] = [];
  for (let leftMs = integerBetween(random, ...SLOW_DISK_MS); leftMs > 0; ) {
    const pause = {
      stoppedMs: integerBetween(random, ...DISK_WAIT_MS),
      workingMs: integerBetween(random, ...DISK_WORK_MS),
    };
    pauses.push(pause);
    leftMs -= pause.stoppedMs + pause.workingMs;
  }
  await pauseRepeatedly(pid, pauses);
}

interface Pause {
  readonly stoppedMs: number;
  readonly workingMs: number;
}

/**
 * Stops a process and lets it go on, over and over. By a process of its own: Miniflare makes this one wait for the Workers now and then, with
 * nothing else done meanwhile, so that nobody would let them go on.
 */
async function pauseRepeatedly(pid: number, pauses: readonly Pause[]): Promise<void> {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const commands = pauses.map(
    ({ stoppedMs, workingMs }) =>
      `kill -STOP ${pid}; sleep ${seconds(stoppedMs)}; kill -CONT ${pid}; sleep ${seconds(workingMs)}`,
  );
  await once(spawn("sh", ["-c", commands.join("\n")], { stdio: "ignore" }), "exit");
}

async function disturbClickHouse({ system, note }: Chaos, counts: FaultCounts, random: Random): Promise<void> {
  if (random() < 0.5) {
    note("kill -9 of ClickHouse");
    counts.kills.clickhouse += 1;
    await system.restartClickHouse();
    return;
  }
  note("ClickHouse is frozen");
  counts.clickhouse_frozen += 1;
  await pauseRepeatedly(system.clickhousePid, [{ stoppedMs: integerBetween(random, ...FREEZE_MS), workingMs: 0 }]);
}

async function disturbConnections({ system, note, stop }: Chaos, counts: FaultCounts, random: Random): Promise<void> {
  const crossing = pick<Crossing>(random, ["sources to ingest", "Workers to ClickHouse", "Workers to the queues"]);
  const weather = pick<Weather>(random, [
    { kind: "cutting", share: 0.1 + random() * 0.3 },
    { kind: "cutting", share: 0.1 + random() * 0.3 },
    { kind: "slow", delayMsMax: integerBetween(random, 50, 2_000) },
    { kind: "stalled" },
  ]);
  if (weather.kind === "fair") return;
  note(`${crossing}: ${weather.kind}`);
  counts.spells[weather.kind] += 1;
  const proxy = system.proxy(crossing);
  proxy.setWeather(weather);
  await sleep(integerBetween(random, ...SPELL_MS), stop);
  proxy.setWeather({ kind: "fair" });
}

/** What is asked for is asked for in the middle of it all, and may fail; what has begun has to end well. */
async function operate({ system, note }: Chaos, counts: FaultCounts, random: Random): Promise<void> {
  try {
    if (pickByWeight(random, { replay: 1, cron: 1 }) === "cron") {
      note("cron: audit, late windows, roll-ups");
      await withTimeout(system.runCron());
      counts.crons += 1;
      return;
    }
    note("a replay is asked for");
    const nowMs = Date.now();
    const body = JSON.stringify({ from: nowMs - AGE_MS_MAX - HOUR_MS, to: nowMs, dry_run: random() < 0.3 });
    const answer = await withTimeout(system.call("/v1/admin/replays", { method: "POST", body }));
    if (answer.status === 202) counts.replays += 1;
  } catch (error) {
    note(`that failed: ${String(error)}`);
  }
}

async function withTimeout<T>(call: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer")), CALL_MS_MAX);
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Until it is there, and has answered somebody since. */
async function untilBack(what: string, { answers, stop }: Chaos, isThere: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + BACK_MS_MAX;
  while (!(await isThere())) {
    if (Date.now() > endMs) throw new Error(`${what} did not come back`);
    await sleep(POLL_MS);
  }
  const before = answers();
  while (answers() === before && !stop.aborted) {
    if (Date.now() > endMs) throw new Error(`${what} came back and answered nobody`);
    await sleep(POLL_MS);
  }
}
