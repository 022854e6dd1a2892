import type { Shard } from "../../workers/aggregate/shard.ts";
import type { Chance } from "./chance.ts";
import { type Distance, farCall } from "./far-call.ts";
import { currentMachine } from "./machine.ts";
import { ObjectError, type SimulatedObject } from "./simulated-object.ts";

/** Of calls that arrive, so many find an object that takes no more, and so many are delivered twice. */
const OVERLOADED = 0.02;
const DELIVERED_TWICE = 0.01;
/** Of calls that arrive, so many kill the object after its code has run, before what it wrote is durable. */
const KILLED_AFTER = 0.01;

/** All shards there are, by name; a stub carries calls to them over the network and brings back answers, mostly. */
export class SimulatedNamespace {
  readonly #distance: Distance;
  readonly #chance: Chance;
  readonly #make: (name: string, id: string) => SimulatedObject;
  readonly objects = new Map<string, SimulatedObject>();

  constructor(distance: Distance, chance: Chance, make: (name: string, id: string) => SimulatedObject) {
    this.#distance = distance;
    this.#chance = chance;
    this.#make = make;
  }

  binding(): DurableObjectNamespace<Shard> {
    const idOf = (hex: string) => ({ toString: () => hex, equals: (other: unknown) => String(other) === hex });
    const namespace = {
      idFromName: (name: string) => idOf(hexOf(name)),
      idFromString: (hex: string) => idOf(hex),
      get: (id: { toString(): string }) => this.#stub(id.toString()),
      getByName: (name: string) => this.#stub(hexOf(name)),
    };
    return namespace as unknown as DurableObjectNamespace<Shard>;
  }

  object(name: string): SimulatedObject {
    return this.#object(hexOf(name));
  }

  #object(hex: string): SimulatedObject {
    const known = this.objects.get(hex);
    if (known !== undefined) return known;
    const object = this.#make(nameOf(hex), hex);
    this.objects.set(hex, object);
    return object;
  }

  #stub(hex: string): object {
    return new Proxy(
      {},
      {
        // A stub is no promise, though it seems to have every method.
        get: (_, method) =>
          typeof method !== "string" || method === "then"
            ? undefined
            : (...args: unknown[]) => this.#call(hex, method, structuredClone(args)),
      },
    );
  }

  /** The call arrives at a moment of its own, and the answer leaves when the object has given it. */
  async #call(hex: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const machine = currentMachine();
    const { scheduler, weather } = this.#distance;
    const { answer } = await farCall(this.#distance, "shard", () => this.#arrive(hex, method, args), lost);
    return await new Promise((resolve, reject) => {
      const back = (settle: () => void) => {
        scheduler.after(weather.latencyMs("shard"), () => {
          if (machine?.isAlive !== false) settle();
        });
      };
      answer.then(
        (result) => back(() => resolve(result)),
        (error) => back(() => reject(error)),
      );
    });
  }

  #arrive(hex: string, method: string, args: readonly unknown[]): { readonly answer: Promise<unknown> } {
    const { weather, scheduler } = this.#distance;
    const object = this.#object(hex);
    const answer = this.#isStruck(OVERLOADED)
      ? Promise.reject(new ObjectError("overloaded", true))
      : object.call(method, structuredClone(args));
    answer.catch(() => {}); // The one that called may have crashed, and nobody listens.
    if (weather.isCalm) return { answer };
    if (this.#chance.is(DELIVERED_TWICE)) object.call(method, structuredClone(args)).catch(() => {});
    if (this.#chance.is(KILLED_AFTER)) scheduler.after(1, () => object.crash());
    return { answer };
  }

  #isStruck(probability: number): boolean {
    return !this.#distance.weather.isCalm && this.#chance.is(probability);
  }
}

const lost = () => new ObjectError("network connection lost");

/** An id is its name in hex, so that it can be told from it. */
function hexOf(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0");
}

function nameOf(hex: string): string {
  return Buffer.from(hex.replace(/(00)*$/, ""), "hex").toString();
}
