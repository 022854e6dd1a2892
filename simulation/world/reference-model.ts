import { judgeReceipt, type Receipt, type Request } from "./receipt-rules.ts";
import { eventsCounted, type ReportedWindow } from "./reported-window.ts";
import { DAY_MS, HOUR_MS, type Sent, WINDOW_MS } from "./traffic.ts";

/** What clocks of isolates and shards may differ by, twice the furthest one of them is off. */
const CLOCKS_DIFFER_MS = 60_000;

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
  /** Receipts that said they brought it first. */
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

  /** The request was answered 200 or 202. Throws when the receipt cannot be true. */
  acknowledge(request: Request, receipt: Receipt, furthestMs: number): void {
    // What another request has brought since may have overtaken this one.
    const fresh = new Set([...request.fresh].filter(({ identity }) => this.#requests.get(identity) === 1));
    const verdicts = judgeReceipt({ ...request, fresh }, receipt, furthestMs + CLOCKS_DIFFER_MS);
    const { rejected, accepted, repeated, conflicting } = verdicts;
    for (const event of new Set(request.events)) {
      const fact = this.#fact(event);
      if (rejected.has(event)) fact.refused += 1;
      else fact.isAcknowledged = true;
    }
    for (const event of accepted) {
      const fact = this.#fact(event);
      fact.isCounted = true;
      fact.acceptances += 1;
      if (fact.acceptances > 1) throw new Error(`${event.token} was accepted twice`);
    }
    for (const event of repeated) this.#fact(event).isCounted = true;
    for (const event of conflicting) {
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

  /** Checks what a read, or history, says of windows, and answers which events it counts; `must` are those it has to. */
  observe(windows: Iterable<ReportedWindow>, must: readonly Sent[], furthestMs: number): Set<Sent> {
    const counted = new Set<Sent>();
    for (const window of windows) {
      for (const event of eventsCounted(window, (key) => this.#byKey.get(key) ?? [])) counted.add(event);
    }
    for (const event of counted) {
      const fact = this.#fact(event);
      if (fact.refused >= fact.brought) throw new Error(`${event.token} is counted though it was refused`);
      fact.isCounted = true;
    }
    for (const event of must) if (!counted.has(event)) throw new Error(`${event.token} is not counted any more`);
    this.#checkRepeats(counted, furthestMs);
    return counted;
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
        if (other.windowMs === first.windowMs || !(isForgotten || hasMoved)) {
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
  }

  #fact(sent: Sent): Fact {
    const fact = this.#facts.get(sent);
    if (fact === undefined) throw new Error(`${sent.token} was never sent`);
    return fact;
  }
}
