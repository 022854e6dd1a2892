import { seededRandom } from "../../scripts/seeded-random.ts";

/** All chance of a run: a sequence of numbers that its seed decides. */
export class Chance {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom("simulation", seed);
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  is(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the list, each as likely as the others. Throws when there is none. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }

  /** One of the choices, as likely as its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let at = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      at -= weight;
      if (at < 0) return choice;
    }
    throw new Error("nothing to pick from");
  }

  /** Removes one of the list and answers it. */
  take<T>(list: T[]): T | undefined {
    return list.splice(this.below(list.length), 1)[0];
  }

  bytes(into: Uint8Array): void {
    for (let i = 0; i < into.length; i++) into[i] = this.below(256);
  }
}
