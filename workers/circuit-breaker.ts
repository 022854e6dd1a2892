import { log } from "./log.ts";

/** What was called has not answered in time, or did not the last time it was tried. */
export class Unanswered extends Error {}

/** For how long something is waited for that usually answers. */
export interface Patience {
  /** A call that has not been answered by then is doubted: a probe asks whether anything is there. */
  readonly doubtedMs: number;
  /** If nothing has answered so long after that, neither the probe nor any other call, nobody waits any more. */
  readonly confirmedMs: number;
  /** Whatever else is answered, a call is given up after this. */
  readonly answerMs: number;
  /** While nobody waits, a call in so long tries whether it is back, ... */
  readonly triedEveryMs: number;
  /** ... and that is waited for, by those that come meanwhile as well. */
  readonly triedMs: number;
}

/** Of ClickHouse, a shard, the directory: each answers within some milliseconds, or is busy with something large and answers a probe. */
export const PATIENCE: Patience = {
  doubtedMs: 1_000,
  confirmedMs: 1_000,
  answerMs: 10_000,
  triedEveryMs: 1_000,
  triedMs: 300,
};

/** Asks for as little as there is; rejects when it is refused. */
export type Probe = (signal: AbortSignal) => Promise<unknown>;

/**
 * Keeps an isolate's requests from waiting for something that hangs: two silences in a row, of a call and of the probe after it, open it, and then
 * calls fail at once, but while one of them finds out whether it is back. What refuses is none of its business: that takes no time.
 *
 * A slow answer is told from none by the probe, so that a large question may take as long as it did. Whatever a request waits for, a timer of its own
 * ends it: what another request has begun ends with that one, and then it is never heard of. For the same reason those that come while one tries
 * do not go on without it: two statements of one request would end the request, and with it what was tried.
 */
export class CircuitBreaker {
  readonly #name: string;
  readonly #patience: Patience;
  readonly #nowMs: () => number;
  #isOpen = false;
  /** How often anything was answered. */
  #answers = 0;
  #triedMs = Number.NEGATIVE_INFINITY;
  /** What is tried, or was last. */
  #trial: Trial | undefined;

  constructor(name: string, patience: Patience = PATIENCE, nowMs: () => number = Date.now) {
    this.#name = name;
    this.#patience = patience;
    this.#nowMs = nowMs;
  }

  /** What the call answers, or throws; throws `Unanswered` when nothing comes. The signal tells it that nobody waits any more. */
  async call<T>(work: (signal: AbortSignal) => Promise<T>, probe: Probe): Promise<T> {
    const { doubtedMs, confirmedMs, answerMs } = this.#patience;
    if (this.#isOpen) await this.#try(probe);
    const givenUp = new AbortController();
    const answer = work(givenUp.signal);
    const settled = this.#counted(answer);
    if (await within(settled, doubtedMs)) return await answer;
    const answers = this.#answers;
    const probed = this.#counted(probe(givenUp.signal));
    const isSettled = await within(settled, confirmedMs, probed);
    if (!isSettled && this.#answers === answers) this.#open();
    else if (isSettled || (await within(settled, answerMs - doubtedMs - confirmedMs))) return await answer;
    givenUp.abort();
    throw new Unanswered(`${this.#name} does not answer`);
  }

  /** Throws while it is not back. */
  async #try(probe: Probe): Promise<void> {
    const { triedEveryMs, triedMs } = this.#patience;
    const nowMs = this.#nowMs();
    const givenUp = new AbortController();
    const sinceMs = nowMs - this.#triedMs;
    // A clock that was set back must not keep it shut until it shows the same again.
    if (sinceMs >= triedEveryMs || sinceMs < 0) {
      this.#triedMs = nowMs;
      this.#trial = { answers: this.#answers, settled: this.#counted(probe(givenUp.signal)) };
    }
    const trial = this.#trial;
    const leftMs = this.#triedMs + triedMs - nowMs;
    if (trial !== undefined && leftMs > 0) {
      await within(trial.settled, leftMs);
      if (this.#answers > trial.answers) return this.#close();
      givenUp.abort();
    }
    throw new Unanswered(`${this.#name} has not answered lately`);
  }

  #open(): void {
    if (!this.#isOpen) log("warn", "nobody waits any more", { for: this.#name });
    this.#isOpen = true;
    this.#triedMs = this.#nowMs();
    this.#trial = undefined;
  }

  #close(): void {
    if (this.#isOpen) log("info", "answers again", { from: this.#name });
    this.#isOpen = false;
  }

  /** Resolves once it is settled; noted as an answer unless it was refused. */
  #counted(answer: Promise<unknown>): Promise<void> {
    return answer.then(
      () => {
        this.#answers += 1;
      },
      () => {},
    );
  }
}

interface Trial {
  /** Answers there were before. */
  readonly answers: number;
  readonly settled: Promise<void>;
}

/** Whether it is settled in time; `false` sooner where `orUntil` is. */
async function within(settled: Promise<void>, ms: number, orUntil?: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  try {
    const ended = settled.then(() => true);
    return await Promise.race(
      orUntil === undefined ? [ended, late.promise] : [ended, late.promise, orUntil.then(() => false)],
    );
  } finally {
    clearTimeout(timer);
  }
}
