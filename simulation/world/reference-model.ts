import { judgeReceipt, type Receipt, type Request } from "./receipt-rules.ts";
import { eventsCounted, type ReportedWindow } from "./reported-window.ts";
import { DAY_MS, HOUR_MS, type Sent, WINDOW_MS } from "./traffic.ts";

/** What clocks of isolates and shards may differ by, twice the furthest one of them is off. */
const CLOCKS_DIFFER_MS = 60_000;

const NO_DOUBT = (_: Sent) => false;

/** What is known of an event, whatever became of it. */
export interface Fact {
  readonly sent: Sent;
  /** Requests that brought it, and those of them that refused it: while there are fewer, it may be counted. */
  brought: number;
  refused: number;
  /** A request that brought it was answered 200 or 202: it must not be lost. */
  isAcknowledged: boolean;
  /** A receipt or a read has said that it is counted: it must stay so. */
  isCounted: boolean;
  /** Receipts that said they brought it first, since its window was last damaged and it was not in the archive. */
  acceptances: number;
}

/**
 * What Tally should say, for anything it may be asked: maps and sets of what was sent, what was promised, and what was seen. Shares nothing
 * with the code under simulation; its numbers are those of the contract.
 */
export class ReferenceModel {
  readonly #facts = new Map<Sent, Fact>();
  readonly #byIdentity = new Map<string, Fact[]>();
  /** How many requests brought something of an identity. */
  readonly #requests = new Map<string, number>();
  readonly #byKey = new Map<string, Sent[]>();
  readonly #byWindow = new Map<number, Fact[]>();
  /** Identities with several events, of which one's window was damaged: which of them counts may be another one since. */
  readonly #disturbed = new Set<string>();
  /** Where epochs of the topology begin: a repeat that moved across may meet another shard. */
  readonly epochsMs: number[] = [];

  /** Notes a request before it leaves. */
  send(events: readonly Sent[]): Request {
    const fresh = new Set<Sent>();
    const counted = new Set<Sent>();
    for (const event of events) {
      const same = this.#byIdentity.get(event.identity) ?? [];
      if (same.length === 0) fresh.add(event);
      if (same.some((fact) => fact.isCounted && fact.sent.windowMs === event.windowMs)) counted.add(event);
    }
    for (const event of events) this.#note(event);
    for (const event of new Set(events)) this.#fact(event).brought += 1;
    for (const identity of new Set(events.map((event) => event.identity))) {
      this.#requests.set(identity, (this.#requests.get(identity) ?? 0) + 1);
    }
    // Of two of one identity in the request, the first one is the new one.
    const firsts = new Map<string, Sent>();
    for (const event of events) if (!firsts.has(event.identity)) firsts.set(event.identity, event);
    return { events, fresh: new Set([...fresh].filter((event) => firsts.get(event.identity) === event)), counted };
  }

  /**
   * The request was answered 200 or 202. Throws when the receipt cannot be true. Of what was in doubt meanwhile it says nothing that would still
   * have to be so.
   */
  acknowledge(request: Request, receipt: Receipt, furthestMs: number, isInDoubt = NO_DOUBT): void {
    // What another request has brought since may have overtaken this one.
    const fresh = new Set([...request.fresh].filter(({ identity }) => this.#requests.get(identity) === 1));
    const known = new Set([...request.counted].filter((event) => !isInDoubt(event)));
    const verdicts = judgeReceipt({ ...request, fresh, counted: known }, receipt, furthestMs + CLOCKS_DIFFER_MS);
    const { rejected, accepted, repeated, conflicting } = verdicts;
    for (const event of new Set(request.events)) {
      const fact = this.#fact(event);
      if (rejected.has(event)) fact.refused += 1;
      else fact.isAcknowledged = true;
    }
    for (const event of accepted) {
      if (isInDoubt(event)) continue;
      const fact = this.#fact(event);
      fact.isCounted = true;
      fact.acceptances += 1;
      if (fact.acceptances > 1) throw new Error(`${event.token} was accepted twice`);
    }
    for (const event of repeated) if (!isInDoubt(event)) this.#fact(event).isCounted = true;
    for (const event of conflicting) {
      if (isInDoubt(event)) continue;
      if (this.#fact(event).isCounted && this.#isAllInOneWindow(event)) {
        throw new Error(`${event.token} is counted, and called a conflict`);
      }
    }
  }

  /** The events of a merchant that a read must say are counted, if it begins now. */
  counted(merchantId: string): Sent[] {
    return [...this.#facts.values()]
      .filter(({ isCounted, sent }) => isCounted && sent.body.merchant_id === merchantId)
      .map(({ sent }) => sent);
  }

  /** The windows something was sent for, ascending. */
  windowsOf(merchantId: string): number[] {
    const all = [...this.#facts.keys()].filter(({ body }) => body.merchant_id === merchantId);
    return [...new Set(all.map(({ windowMs }) => windowMs))].sort((a, b) => a - b);
  }

  /**
   * Checks what a read, or history, says of windows, and answers which events it counts; `must` are those it has to, but for what was in doubt
   * meanwhile.
   */
  observe(
    windows: Iterable<ReportedWindow>,
    must: readonly Sent[],
    furthestMs: number,
    isInDoubt = NO_DOUBT,
  ): Set<Sent> {
    const counted = new Set<Sent>();
    for (const window of windows) {
      for (const event of eventsCounted(window, (key) => this.#byKey.get(key) ?? [])) counted.add(event);
    }
    for (const event of counted) {
      const fact = this.#fact(event);
      if (fact.refused >= fact.brought) throw new Error(`${event.token} is counted though it was refused`);
      if (!isInDoubt(event)) fact.isCounted = true;
    }
    for (const event of must) {
      if (!counted.has(event) && !isInDoubt(event)) throw new Error(`${event.token} is not counted any more`);
    }
    this.#checkRepeats(counted, furthestMs);
    return counted;
  }

  /**
   * A window is damaged, or has been rebuilt; without one, any may be. It is rebuilt from the archive, so what is there stays counted. What is still
   * in the log alone is counted when it comes; and of several events of one identity another one may count.
   */
  disturb(windowMs: number | undefined, isArchived: (sent: Sent) => boolean): void {
    const facts = windowMs === undefined ? this.#facts.values() : (this.#byWindow.get(windowMs) ?? []);
    for (const fact of facts) {
      const { sent } = fact;
      const isAlone = this.#byIdentity.get(sent.identity)?.length === 1;
      if (!isAlone) this.#disturbed.add(sent.identity);
      if (isAlone && (!(fact.isCounted || fact.acceptances > 0) || isArchived(sent))) continue;
      fact.isCounted = false;
      fact.acceptances = 0;
    }
  }

  /** Whether another event of its identity may count since a window was damaged, and history may still have the one it had. */
  isDisturbed({ identity }: Sent): boolean {
    return this.#disturbed.has(identity);
  }

  /**
   * Checks that of everything acknowledged something is counted. What is not must be late: past the horizon on some clock, and noted to
   * be rebuilt.
   */
  checkComplete(counted: ReadonlySet<Sent>, lateWindows: ReadonlySet<string>, furthestMs: number): void {
    const isLate = ({ sent: { windowMs, body } }: Fact) =>
      windowMs + WINDOW_MS + DAY_MS <= furthestMs + CLOCKS_DIFFER_MS &&
      lateWindows.has(`${body.merchant_id} ${windowMs}`);
    for (const [identity, facts] of this.#byIdentity) {
      const acknowledged = facts.filter(({ isAcknowledged }) => isAcknowledged);
      if (acknowledged.length === 0 || facts.some(({ sent }) => counted.has(sent))) continue;
      if (!acknowledged.some(isLate)) {
        throw new Error(`${identity} (${acknowledged.map(({ sent }) => sent.token)}) was acknowledged and is lost`);
      }
    }
  }

  acknowledged(): Sent[] {
    return [...this.#facts.values()].filter(({ isAcknowledged }) => isAcknowledged).map(({ sent }) => sent);
  }

  /** The first one counts, in its own window for the whole horizon, in another while the first one's ended within the hour. */
  #checkRepeats(counted: ReadonlySet<Sent>, furthestMs: number): void {
    const byIdentity = Map.groupBy(counted, ({ identity }) => identity);
    for (const [identity, events] of byIdentity) {
      const [first, ...others] = [...events].sort((a, b) => a.windowMs - b.windowMs);
      for (const other of others) {
        if (first === undefined) continue;
        const isForgotten = furthestMs + CLOCKS_DIFFER_MS >= first.windowMs + WINDOW_MS + HOUR_MS;
        const hasMoved = this.epochsMs.some((fromMs) => first.windowMs < fromMs && fromMs <= other.windowMs);
        if (other.windowMs === first.windowMs || !(isForgotten || hasMoved || this.#disturbed.has(identity))) {
          throw new Error(`${identity} is counted twice: ${first.token} and ${other.token}`);
        }
      }
    }
  }

  #isAllInOneWindow({ identity, windowMs }: Sent): boolean {
    return (this.#byIdentity.get(identity) ?? []).every(({ sent }) => sent.windowMs === windowMs);
  }

  #note(sent: Sent): void {
    if (this.#facts.has(sent)) return;
    const fact: Fact = { sent, brought: 0, refused: 0, isAcknowledged: false, isCounted: false, acceptances: 0 };
    this.#facts.set(sent, fact);
    this.#byIdentity.set(sent.identity, [...(this.#byIdentity.get(sent.identity) ?? []), fact]);
    this.#byKey.set(sent.key, [...(this.#byKey.get(sent.key) ?? []), sent]);
    this.#byWindow.set(sent.windowMs, [...(this.#byWindow.get(sent.windowMs) ?? []), fact]);
  }

  #fact(sent: Sent): Fact {
    const fact = this.#facts.get(sent);
    if (fact === undefined) throw new Error(`${sent.token} was never sent`);
    return fact;
  }
}
