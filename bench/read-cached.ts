import { cpuTimeUs } from "./cpu.ts";
import type { Floor } from "./floor.ts";
import { type Got, getsPerSecond } from "./gets.ts";
import { median } from "./numbers.ts";
import type { Target } from "./send.ts";

/** What a cached report costs beside a Worker that says hello. */
export interface CachedReads {
  readonly cachedPerSecond: number;
  readonly helloPerSecond: number;
  /** Median of the rounds' ratios of the two, which share whatever else the machine does. */
  readonly ratio: number;
  /** The same of the CPU time that each takes: hello's over the cached one's. */
  readonly cpuRatio: number;
  readonly reportBytes: number;
}

export interface CachedOptions {
  readonly rounds: number;
  readonly requests: number;
  readonly log: (line: string) => void;
}

const CONNECTIONS = 8;
const WARM_UP_ROUNDS = 4;

/** Asks both in turn, first the one and then the other first. */
export async function measureCached(
  report: Target,
  reportPid: number,
  hello: Floor,
  { rounds, requests, log }: CachedOptions,
): Promise<CachedReads> {
  const greeting = { url: `${hello.url}${new URL(report.url).pathname}`, headers: report.headers };
  let reportBytes = 0;
  const isHit = ({ status, headers, bytes }: Got) => {
    reportBytes = bytes;
    return status === 200 && String(headers["cache-status"]).startsWith("tally; hit");
  };
  const asked = { count: requests, connections: CONNECTIONS };
  // So that it is there to be hit.
  await getsPerSecond(report, { count: 1, connections: 1, isRight: ({ status }) => status === 200 });
  const runCached = () => timed(reportPid, requests, () => getsPerSecond(report, { ...asked, isRight: isHit }));
  const runHello = () =>
    timed(hello.pid, requests, () => getsPerSecond(greeting, { ...asked, isRight: ({ status }) => status === 200 }));
  const samples: { readonly cached: Sample; readonly hello: Sample }[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const isOurs = round % 2 === 0;
    const first = await (isOurs ? runCached() : runHello());
    const second = await (isOurs ? runHello() : runCached());
    const sample = isOurs ? { cached: first, hello: second } : { cached: second, hello: first };
    log(
      `${round < 0 ? "warm-up" : `round ${round + 1}`}: cached ${lineOf(sample.cached)}, hello ${lineOf(sample.hello)}`,
    );
    if (round >= 0) samples.push(sample);
  }
  return {
    cachedPerSecond: median(samples.map(({ cached }) => cached.perSecond)),
    helloPerSecond: median(samples.map(({ hello }) => hello.perSecond)),
    ratio: median(samples.map(({ cached, hello }) => cached.perSecond / hello.perSecond)),
    cpuRatio: median(samples.map(({ cached, hello }) => hello.cpuUs / cached.cpuUs)),
    reportBytes,
  };
}

interface Sample {
  readonly perSecond: number;
  /** For each request. */
  readonly cpuUs: number;
}

async function timed(pid: number, requests: number, run: () => Promise<number>): Promise<Sample> {
  const before = cpuTimeUs(pid);
  const perSecond = await run();
  return { perSecond, cpuUs: (cpuTimeUs(pid) - before) / requests };
}

const lineOf = ({ perSecond, cpuUs }: Sample) => `${perSecond.toFixed(0)}/s at ${cpuUs.toFixed(0)} µs`;
