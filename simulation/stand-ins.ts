import type { SourceEdit } from "./source-edit.ts";

/** What the runtime gives and Node does not have: modules by their names. */
export const MODULE_STAND_INS: ReadonlyMap<string, string> = new Map([
  ["cloudflare:workers", new URL("cloudflare-workers.ts", import.meta.url).href],
]);

/** Isolates share a process here: each has its own memory of the directory, with its machine. */
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
];
