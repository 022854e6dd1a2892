/** A shard that has not gone on with its rebuild for so long has lost its turn: its object may have died. More than an alarm takes. */
export const TURN_MS = 60_000;

/** Objects of an isolate share its memory: one of them at a time has a rebuild in it. */
export class RebuildTurn {
  #shard: string | undefined;
  #isUrgent = false;
  #untilMs = 0;

  /** Takes the turn, or keeps it; false while it is another shard's. What is urgent takes it from what is not. */
  take(shard: string, isUrgent: boolean, nowMs: number): boolean {
    // Nobody has longer than that: a clock that was set back since would keep a turn whose shard has died.
    const isKept = nowMs < this.#untilMs && this.#untilMs <= nowMs + TURN_MS;
    const isOthers = this.#shard !== undefined && this.#shard !== shard && isKept;
    if (isOthers && (this.#isUrgent || !isUrgent)) return false;
    this.#shard = shard;
    this.#isUrgent = isUrgent;
    this.#untilMs = nowMs + TURN_MS;
    return true;
  }

  leave(shard: string): void {
    if (this.#shard === shard) this.#shard = undefined;
  }
}

const turns = new WeakMap<object, RebuildTurn>();

/** The turn of those who share these bindings: they are one object in an isolate. */
export function turnOf(env: object): RebuildTurn {
  const turn = turns.get(env) ?? new RebuildTurn();
  turns.set(env, turn);
  return turn;
}
