import { z } from "zod";
import { sleep } from "../scripts/sleep.ts";

/** What `workers/acknowledging-aggregate.ts` logs of each batch of the RAW queue. */
const lineSchema = z.object({ bench: z.literal("raw batch"), messages: z.int(), events: z.int(), retried: z.int() });

const POLL_MS = 10;
const DRAIN_MS_MAX = 120_000;

/** Counts what the log has acknowledged, which is what has been archived and counted. */
export class Acknowledged {
  #events = 0;
  #retried = 0;
  #faults: string[] = [];

  /** To be given every line that a Worker logs. */
  readonly onLog = (message: string): void => {
    const line = lineSchema.safeParse(parseJson(message)).data;
    if (line === undefined) {
      this.#faults.push(message);
      return;
    }
    this.#events += line.events;
    this.#retried += line.retried;
  };

  get events(): number {
    return this.#events;
  }

  /** Resolves once so many events have been acknowledged in all. Throws when a message had to be tried again, or nothing more comes. */
  async reach(events: number): Promise<void> {
    const endMs = Date.now() + DRAIN_MS_MAX;
    while (this.#events < events && this.#retried === 0 && Date.now() < endMs) await sleep(POLL_MS);
    if (this.#events === events && this.#retried === 0) return;
    const said = this.#faults.slice(-5).join("\n");
    throw new Error(`${this.#events} of ${events} events acknowledged, ${this.#retried} messages tried again\n${said}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A line of the runtime's own.
  }
}
