import type { SourceEdit } from "./source-edit.ts";

/** What the runtime gives and Node does not have: modules by their names. */
export const MODULE_STAND_INS: ReadonlyMap<string, string> = new Map([
  ["cloudflare:workers", new URL("cloudflare-workers.ts", import.meta.url).href],
]);

/** Isolates share a process here: each has its own memory of the directory, and of what is under way, with its machine. */
export const ISOLATE_MEMORY: readonly SourceEdit[] = [
  {
    file: "workers/directory/isolate-cache.ts",
    find: "const cache = new DirectoryCache();",
    replace: `import { currentMachine } from "../../simulation/world/machine.ts";
      const cache = new DirectoryCache();`,
  },
  {
    file: "workers/directory/isolate-cache.ts",
    find: "return cache;",
    replace: `const machine = currentMachine();
      if (machine === undefined) return cache;
      machine.memory ??= new DirectoryCache();
      return machine.memory;`,
  },
  {
    file: "workers/ingest/isolate-under-way.ts",
    find: "const underWay = new UnderWay();",
    replace: `import { currentMachine } from "../../simulation/world/machine.ts";
      const underWay = new UnderWay();`,
  },
  {
    file: "workers/ingest/isolate-under-way.ts",
    find: "return underWay;",
    replace: `const machine = currentMachine();
      if (machine === undefined) return underWay;
      machine.underWay ??= new UnderWay();
      return machine.underWay;`,
  },
];
