import type { Chance } from "./chance.ts";
import { Machine } from "./machine.ts";
import { SKEW_MS_MAX } from "./simulated-object.ts";
import type { Weather } from "./weather.ts";

/** One start of a Worker, with bindings of its own. */
export interface Isolate<Env> {
  readonly machine: Machine;
  readonly env: Env;
}

/** The isolates of one Worker: each with its own clock and memory, so its own idea of the topology; one that crashed is another when next asked. */
export class Isolates<Env> {
  readonly #name: string;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #envOf: () => Env;
  readonly #isolates: Isolate<Env>[];

  constructor(name: string, count: number, chance: Chance, weather: Weather, envOf: () => Env) {
    this.#name = name;
    this.#chance = chance;
    this.#weather = weather;
    this.#envOf = envOf;
    this.#isolates = Array.from({ length: count }, (_, index) => this.#start(index));
  }

  /** One of them, started anew if it has crashed. */
  any(): Isolate<Env> {
    const index = this.#chance.below(this.#isolates.length);
    const isolate = this.#isolates[index];
    if (isolate?.machine.isAlive) return isolate;
    const started = this.#start(index);
    this.#isolates[index] = started;
    return started;
  }

  crashOne(): string {
    const { machine } = this.#chance.pick(this.#isolates);
    machine.crash();
    return machine.name;
  }

  turnClock(): void {
    this.#chance.pick(this.#isolates).machine.skewMs = this.#skewMs();
  }

  #start(index: number): Isolate<Env> {
    return { machine: new Machine(`${this.#name}-${index}`, this.#skewMs()), env: this.#envOf() };
  }

  #skewMs(): number {
    return this.#weather.isCalm ? 0 : this.#chance.between(-SKEW_MS_MAX, SKEW_MS_MAX);
  }
}
