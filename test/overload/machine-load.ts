import { monitorEventLoopDelay } from "node:perf_hooks";
import { cpuTimeUs } from "../../bench/cpu.ts";
import type { OverloadReport } from "./overload-report.ts";

const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

/** Watches what a flood takes of the machine, until it is stopped: processes by their ids, and how late this one, which sends, is itself. */
export function watchLoad(pids: OverloadReport["cores"]): { stop(): Pick<OverloadReport, "sender_lag" | "cores"> } {
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const beganMs = performance.now();
  const used = () => ({
    ingest: cpuTimeUs(pids.ingest),
    aggregate: cpuTimeUs(pids.aggregate),
    api: cpuTimeUs(pids.api),
    sender: cpuTimeUs(pids.sender),
    queues: cpuTimeUs(pids.queues),
  });
  const before = used();
  lag.enable();
  return {
    stop: () => {
      lag.disable();
      const after = used();
      const passedUs = (performance.now() - beganMs) * 1000;
      const share = (process: keyof typeof before) =>
        Math.round((100 * (after[process] - before[process])) / passedUs) / 100;
      // A timer of that resolution is called once in so long at best.
      const ms = (ns: number) => Math.max(0, Math.round(10 * (ns / NS_PER_MS - RESOLUTION_MS)) / 10);
      return {
        sender_lag: { p50_ms: ms(lag.percentile(50)), p99_ms: ms(lag.percentile(99)), max_ms: ms(lag.max) },
        cores: {
          ingest: share("ingest"),
          aggregate: share("aggregate"),
          api: share("api"),
          sender: share("sender"),
          queues: share("queues"),
        },
      };
    },
  };
}
