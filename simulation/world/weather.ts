import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

export const SERVICES = ["directory", "raw", "windows", "archive", "history", "shard", "network"] as const;
export type Service = (typeof SERVICES)[number];

/** What becomes of a call: it is made and answered, not made, or made and the answer lost. */
export type Fate = "works" | "fails" | "answer_lost";

interface Climate {
  readonly failing: number;
  readonly answerLost: number;
  readonly slow: number;
}

const CALM: Climate = { failing: 0, answerLost: 0, slow: 0 };

/** How well the services work: each by a climate of its own, which the seed decides, with outages now and then. */
export class Weather {
  readonly #chance: Chance;
  readonly #scheduler: Scheduler;
  readonly #climates: Map<Service, Climate>;
  readonly #outages = new Map<Service, number>();
  #isCalm = false;

  constructor(chance: Chance, scheduler: Scheduler) {
    this.#chance = chance;
    this.#scheduler = scheduler;
    this.#climates = new Map(SERVICES.map((service) => [service, climateOf(chance)]));
  }

  /** From now on everything works. */
  calmDown(): void {
    this.#isCalm = true;
    this.#outages.clear();
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  breakDown(service: Service, durationMs: number): void {
    this.#outages.set(service, this.#scheduler.nowMs + durationMs);
  }

  fateOf(service: Service): Fate {
    if ((this.#outages.get(service) ?? 0) > this.#scheduler.nowMs) return "fails";
    const { failing, answerLost } = this.#climateOf(service);
    const draw = this.#chance.next();
    if (draw < failing) return "fails";
    return draw < failing + answerLost ? "answer_lost" : "works";
  }

  /** How long one way of a call takes: milliseconds mostly, seconds when the service is slow. */
  latencyMs(service: Service): number {
    if (!this.#chance.is(this.#climateOf(service).slow)) return this.#chance.between(1, 12);
    return this.#chance.weighted([
      [5, this.#chance.between(20, 900)],
      [3, this.#chance.between(900, 6_000)],
    ]);
  }

  #climateOf(service: Service): Climate {
    return this.#isCalm ? CALM : (this.#climates.get(service) ?? CALM);
  }
}

function climateOf(chance: Chance): Climate {
  const often = () =>
    chance.weighted([
      [4, 0],
      [3, 0.02],
      [2, 0.08],
      [1, 0.25],
    ]);
  return { failing: often(), answerLost: often(), slow: often() };
}
