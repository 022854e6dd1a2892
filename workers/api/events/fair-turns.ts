export interface TurnLimits {
  /** Turns that are had at a time. */
  readonly atOnce: number;
  readonly waitingMax: number;
  readonly waitingOfOneMax: number;
  /** A turn has ended by then, told of or not. */
  readonly turnMsMax: number;
  /** Whoever waits asks whether it is its turn; one who has not for so long has left. */
  readonly silentMsMax: number;
  /** Whoever went without a turn is taken into account for so long, as one who will come again. */
  readonly claimMs: number;
}

/** One that waits for its turn, or has it. */
export interface Turn {
  readonly who: string;
  /** When it was last asked for, or since when it is had. */
  atMs: number;
  /** Has made room for one of somebody with fewer that wait, and is never its turn. */
  isPutOut: boolean;
}

/** As many wait as may: of the same, or of all. */
export type NoRoom = "of_one" | "of_all";

interface Place {
  /** The one that waits longest comes first. */
  readonly waiting: Turn[];
  claimUntilMs: number;
}

/**
 * Turns for several who each want more of them than there are. Of those who have none, whoever has waited longest since the last one is next; another one beside the
 * first has only who is alone. Nobody is woken: each asks. Moments are epoch milliseconds.
 */
export class FairTurns {
  readonly #limits: TurnLimits;
  readonly #had = new Set<Turn>();
  /** By `who`, in the order in which they are served: those who wait, and those who went without. */
  readonly #line = new Map<string, Place>();

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Begins to wait, in the place of one of whoever has the most that wait, where there is no other. */
  ask(who: string, nowMs: number): Turn | NoRoom {
    const { waitingMax, waitingOfOneMax } = this.#limits;
    this.#forget(nowMs);
    if ((this.#line.get(who)?.waiting.length ?? 0) >= waitingOfOneMax) return "of_one";
    let waiting = 0;
    for (const place of this.#line.values()) waiting += place.waiting.length;
    if (waiting >= waitingMax && !this.#makeRoom(who)) return "of_all";
    const turn = { who, atMs: nowMs, isPutOut: false };
    this.#join(turn);
    return turn;
  }

  /** Whether it is its turn, which it keeps until its end. */
  isOn(turn: Turn, nowMs: number): boolean {
    if (this.#had.has(turn)) return true;
    if (turn.isPutOut) return false;
    turn.atMs = nowMs;
    this.#forget(nowMs);
    this.#join(turn);
    if (this.#had.size >= this.#limits.atOnce || this.#next() !== turn) return false;
    this.#serve(turn);
    return true;
  }

  /** A turn has ended, or is not waited for any more: then its place is kept for a while. What is repeated changes nothing. */
  end(turn: Turn, nowMs: number): void {
    if (this.#had.delete(turn)) return;
    const place = this.#line.get(turn.who);
    const at = place?.waiting.indexOf(turn) ?? -1;
    if (place === undefined || at < 0) return;
    place.waiting.splice(at, 1);
    place.claimUntilMs = nowMs + this.#limits.claimMs;
  }

  /** Puts out the newest of whoever has the most that wait, unless `who` would have as many then. */
  #makeRoom(who: string): boolean {
    const [most] = [...this.#line.values()].sort((a, b) => b.waiting.length - a.waiting.length);
    const own = this.#line.get(who)?.waiting.length ?? 0;
    if (most === undefined || most.waiting.length <= own + 1) return false;
    const out = most.waiting.pop();
    if (out !== undefined) out.isPutOut = true;
    return true;
  }

  #join(turn: Turn): void {
    const place = this.#line.get(turn.who) ?? { waiting: [], claimUntilMs: 0 };
    this.#line.set(turn.who, place);
    if (!place.waiting.includes(turn)) place.waiting.push(turn);
  }

  #next(): Turn | undefined {
    const having = new Set([...this.#had].map(({ who }) => who));
    for (const [who, { waiting }] of this.#line) {
      if (waiting.length > 0 && (this.#line.size === 1 || !having.has(who))) return waiting[0];
    }
    return undefined;
  }

  #serve(turn: Turn): void {
    const waiting = (this.#line.get(turn.who)?.waiting ?? []).filter((other) => other !== turn);
    this.#line.delete(turn.who);
    if (waiting.length > 0) this.#line.set(turn.who, { waiting, claimUntilMs: 0 });
    this.#had.add(turn);
  }

  #forget(nowMs: number): void {
    const { turnMsMax, silentMsMax } = this.#limits;
    for (const turn of this.#had) if (nowMs - turn.atMs >= turnMsMax) this.#had.delete(turn);
    for (const [who, place] of this.#line) {
      const there = place.waiting.filter(({ atMs }) => nowMs - atMs < silentMsMax);
      place.waiting.splice(0, place.waiting.length, ...there);
      if (there.length === 0 && place.claimUntilMs <= nowMs) this.#line.delete(who);
    }
  }
}
