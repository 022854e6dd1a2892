import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

/** What a figure was measured on; says how busy it was, since other work on it shows in the figures. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
  readonly workerd: string;
  /** Processes that wanted to run, on average over the last minute. */
  readonly load_average: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    workerd: workerdVersion(),
    load_average: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Of the workerd that Miniflare starts, which is not always the one a tool beside it would. */
function workerdVersion(): string {
  const ofMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { version } = JSON.parse(readFileSync(ofMiniflare.resolve("workerd/package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

export function machineLine({ cpu, cores, memory_gb, system, node, workerd, load_average }: Machine): string {
  return `${cpu}, ${cores} cores, ${memory_gb} GB, ${system}, Node ${node}, workerd ${workerd}, load ${load_average}`;
}
