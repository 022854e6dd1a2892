import { createHash } from "node:crypto";
import type { Chance } from "./chance.ts";
import { currentMachine } from "./machine.ts";
import type { Scheduler, Timer } from "./scheduler.ts";

/** What the code under simulation reaches for by itself: time, chance, timers, the network and the log. */
export interface World {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

type Fake = (original: PropertyDescriptor | undefined) => unknown;

/** Puts simulated ones in the place of the globals, until what it answers is called. Everything happens at once, on one thread. */
export function simulateGlobals(world: World): () => void {
  const restores = [
    replace(globalThis, "Date", () => dateOf(world.scheduler)),
    replace(
      globalThis,
      "setTimeout",
      () =>
        (happen: () => void, delayMs = 0) =>
          startTimer(world, happen, delayMs),
    ),
    replace(globalThis, "clearTimeout", () => (timer: Timer | undefined) => {
      if (timer !== undefined) timer.isCancelled = true;
    }),
    replace(globalThis, "fetch", () => world.fetch),
    replace(Math, "random", () => world.chance.next),
    replace(crypto, "getRandomValues", () => (into: Uint8Array) => {
      world.chance.bytes(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
      return into;
    }),
    replace(crypto, "randomUUID", () => () => uuidOf(world.chance)),
    // The real one answers from another thread, at a moment of its own.
    replace(crypto.subtle, "digest", () => digest),
    // Failures are what a simulation is about; the log would be full of them.
    ...(["info", "warn", "error"] as const).map((level) => replace(console, level, () => () => {})),
  ];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function replace(owner: object, name: string, fake: Fake): () => void {
  const original = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value: fake(original), configurable: true, writable: true });
  return () => {
    if (original === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, original);
  };
}

const RealDate = Date;

/** `Date` as the clock of the current machine shows it. */
function dateOf(scheduler: Scheduler): DateConstructor {
  const now = () => scheduler.nowMs + (currentMachine()?.skewMs ?? 0);
  return class extends RealDate {
    constructor(...given: [] | [value: number | string]) {
      if (given.length === 0) super(now());
      else super(given[0]);
    }
    static override now = now;
  } as unknown as DateConstructor;
}

function startTimer({ scheduler }: World, happen: () => void, delayMs: number): Timer {
  const machine = currentMachine();
  return scheduler.after(delayMs, () => {
    if (machine === undefined) happen();
    else if (machine.isAlive) machine.run(happen);
  });
}

function uuidOf(chance: Chance): string {
  const bytes = new Uint8Array(16);
  chance.bytes(bytes);
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

async function digest(algorithm: string, data: Uint8Array | ArrayBuffer): Promise<ArrayBuffer> {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  const hash = createHash(algorithm.replace("-", "").toLowerCase()).update(bytes).digest();
  return Uint8Array.from(hash).buffer;
}
