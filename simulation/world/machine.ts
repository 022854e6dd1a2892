import { AsyncLocalStorage } from "node:async_hooks";
import type { CircuitBreaker } from "../../workers/circuit-breaker.ts";
import type { DirectoryCache } from "../../workers/directory/isolate-cache.ts";
import type { UnderWay } from "../../workers/ingest/under-way.ts";

/**
 * Where code runs: an isolate, or a running Durable Object. It has a clock of its own, and when it crashes, whatever its code waits
 * for never comes. Code runs on the machine of the call that led to it, across every `await`.
 */
export class Machine {
  readonly name: string;
  /** What its clock shows beyond the right time. */
  skewMs: number;
  isAlive = true;
  /** What its code keeps in modules. */
  memory: DirectoryCache | undefined;
  underWay: UnderWay | undefined;
  historyCircuit: CircuitBreaker | undefined;
  readonly shardCircuits = new Map<string, CircuitBreaker>();
  readonly #crashed = Promise.withResolvers<void>();
  /** What an output gate waits for; `undefined` when nothing is to be made durable. */
  durable: () => Promise<void> | undefined = () => undefined;

  constructor(name: string, skewMs: number) {
    this.name = name;
    this.skewMs = skewMs;
  }

  /** Resolves when it crashes. */
  get crashed(): Promise<void> {
    return this.#crashed.promise;
  }

  crash(): void {
    this.isAlive = false;
    this.#crashed.resolve();
  }

  run<T>(work: () => T): T {
    return running.run(this, work);
  }
}

const running = new AsyncLocalStorage<Machine>();

/** The machine the code that asks runs on; none for the simulator's own. */
export function currentMachine(): Machine | undefined {
  return running.getStore();
}

/** Runs what belongs to no machine, such as what the platform does by itself. */
export function outside<T>(work: () => T): T {
  return running.exit(work);
}
