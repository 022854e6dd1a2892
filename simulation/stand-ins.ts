import type { SourceEdit } from "./source-edit.ts";

/** What the runtime gives and Node does not have: modules by their names. */
export const MODULE_STAND_INS: ReadonlyMap<string, string> = new Map([
  ["cloudflare:workers", new URL("cloudflare-workers.ts", import.meta.url).href],
]);

/** Isolates share a process here: each has its own memory of the directory, of what hangs, and of what is under way, with its machine. */
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
  {
    file: "workers/api/history-circuit.ts",
    find: "const circuit = new CircuitBreaker(",
    replace: `import { currentMachine } from "../../simulation/world/machine.ts";
      const circuitOfMachine = () => {
        const machine = currentMachine();
        if (machine === undefined) return circuit;
        machine.historyCircuit ??= new CircuitBreaker("ClickHouse", { ...PATIENCE, answerMs: ANSWER_MS_MAX });
        return machine.historyCircuit;
      };
      const circuit = new CircuitBreaker(`,
  },
  {
    file: "workers/api/history-circuit.ts",
    find: "await circuit.call(",
    replace: "await circuitOfMachine().call(",
  },
  {
    file: "workers/api/hot-windows.ts",
    find: "const circuits = new LRUCache<string, CircuitBreaker>({ max: CIRCUITS_MAX });",
    replace: `import { currentMachine } from "../../simulation/world/machine.ts";
      const circuits = new Map();
      const circuitsOfMachine = () => currentMachine()?.shardCircuits ?? circuits;`,
  },
  {
    file: "workers/api/hot-windows.ts",
    find: "circuits.get(shard)",
    replace: "circuitsOfMachine().get(shard)",
  },
  {
    file: "workers/api/hot-windows.ts",
    find: "circuits.set(shard, circuit)",
    replace: "circuitsOfMachine().set(shard, circuit)",
  },
];

/** Unpacks at once: a stream does it on another thread, at a moment of its own. */
export const AT_ONCE: readonly SourceEdit[] = [
  {
    file: "workers/aggregate/archived-events.ts",
    find: 'import { createGunzip } from "node:zlib";',
    replace: 'import { gunzipSync } from "node:zlib";',
  },
  {
    file: "workers/aggregate/archived-events.ts",
    find: "for await (const chunk of Readable.from([bytes]).pipe(createGunzip())) {",
    replace: "for (const chunk of [gunzipSync(bytes)]) {",
  },
];
