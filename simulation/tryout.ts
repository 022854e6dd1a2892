import { loadWith } from "./module-hooks.ts";
import { NARROW_LIMITS } from "./narrow-limits.ts";
import { PLANTS } from "./plants.ts";
import { ISOLATE_MEMORY } from "./stand-ins.ts";

const [from, n, steps, plant] = process.argv.slice(2);
const check = loadWith([...NARROW_LIMITS, ...ISOLATE_MEMORY, ...(PLANTS.find((p) => p.name === plant)?.edits ?? [])]);
const { run } = await import("./world/run.ts");
check();
const t0 = performance.now();
for (let seed = Number(from); seed < Number(from) + Number(n); seed++) {
  const t = performance.now();
  const r = await run(seed, Number(steps));
  process.stdout.write(
    `${seed} ${r.digest} ${r.trace.length} ${(performance.now() - t).toFixed(0)}ms ${r.failure ?? "ok"} ${r.failedAfter ?? ""}\n`,
  );
  if (process.env.TRACE) process.stdout.write(`${r.trace.slice(-Number(process.env.TRACE)).join("\n")}\n`);
}
process.stdout.write(`${((performance.now() - t0) / Number(n)).toFixed(0)} ms a seed\n`);
