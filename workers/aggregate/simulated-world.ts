import type { PaymentEvent } from "../../shared/event.ts";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { decodeWindowsMessage } from "../../shared/messages/windows.ts";
import { fromRow, type MerchantWindow, toRow } from "../../shared/window-row.ts";
import { gunzip } from "../gzip.ts";
import type { Env } from "./env.ts";
import { ReferenceModel, windowKey, windowOf } from "./reference-model.ts";
import { totalsReported } from "./reported-totals.ts";
import { bytesOf, HOUR_MS, MINUTE_MS, NOON_MS, payment } from "./sample-payments.ts";
import type { ShardReading } from "./shard.ts";
import { SimulatedObject } from "./simulated-object.ts";

const HORIZON_MS = 24 * HOUR_MS + 10 * MINUTE_MS;
const ROWS_MAX = 256;

export interface WorldOptions {
  readonly seed: number;
  /** So many merchants that an emission takes several messages. */
  readonly isCrowded: boolean;
  readonly setClock: (ms: number) => void;
}

/**
 * One shard, the log that feeds it, the queue and the history it feeds, and everything that can go wrong between them, driven by a seed.
 * `check` holds at any moment: what was counted once is served once, from the shard or from history.
 */
export class World {
  readonly #random: () => number;
  readonly #options: WorldOptions;
  readonly #object: SimulatedObject;
  readonly #model = new ReferenceModel();
  readonly #merchants = new Set<string>();
  /** Events that are not acknowledged yet, and those that are. */
  #log: PaymentEvent[] = [];
  readonly #acknowledged: PaymentEvent[] = [];
  #queue: Uint8Array[] = [];
  readonly #history = new Map<string, MerchantWindow>();
  #nowMs = NOON_MS;
  /** The furthest the clock has ever shown, right or wrong: only what is past the horizon there may be called late. */
  #furthestMs = NOON_MS;
  #events = 0;
  #isCalm = false;
  trace: string[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = randomOf(options.seed);
    const WINDOWS = { sendBatch: (messages: { body: Uint8Array }[]) => this.#takeWindows(messages) };
    this.#object = new SimulatedObject({
      WINDOWS,
      CLICKHOUSE_URL: "http://history",
      CLICKHOUSE_USER: "writer",
      CLICKHOUSE_PASSWORD: "",
      CLICKHOUSE_DATABASE: "tally",
      CORRECTION_DELAY_MS: "20000",
      IDENTITY_KEY: "00".repeat(16),
      // Every other world pages out whatever may leave memory.
      ...(options.seed % 2 === 0 ? { RESIDENT_BYTES_MAX: "0" } : {}),
    } as unknown as Env);
    this.#setClock(NOON_MS);
  }

  /** One thing happens. */
  async step(): Promise<void> {
    const happens = this.#pick([
      [20, () => this.#newEvents()],
      [25, () => this.#deliver()],
      [20, () => this.#ring()],
      [20, () => this.#store()],
      [14, () => this.#tick()],
      [4, () => this.#crash()],
      [2, () => this.#lookAhead()],
    ]);
    await happens();
  }

  /** Everything works again: all that is in the log gets counted, all that is sent gets stored, until nothing is left to do. */
  async settle(): Promise<void> {
    this.#isCalm = true;
    for (let rings = 0; ; rings++) {
      while (this.#log.length > 0) await this.#deliver();
      while (this.#queue.length > 0) await this.#store();
      if (this.#object.alarmMs === null) break;
      this.#setClock(Math.max(this.#nowMs, this.#object.alarmMs));
      await this.#object.ring(this.#nowMs);
      if (rings > 1_000) throw new Error("the alarm rings without end");
    }
    await this.check();
    for (const table of ["page", "stored"]) {
      if (this.#object.rows(table).length > 0) throw new Error(`rows are left in ${table}`);
    }
    const stored = totalsReported(this.#history.values());
    if (stored.size !== this.#model.totals().size) throw new Error("history lacks windows in the end");
  }

  /** Throws unless the shard, for what it retains, and history, for all before, together say exactly what was counted. */
  async check(): Promise<void> {
    const shard = await this.#object.shard();
    const served: MerchantWindow[] = [];
    for (const merchant of this.#merchants) {
      const reading: ShardReading = JSON.parse(shard.read(merchant, 0, 1e15));
      const isHistorys = ({ startMs }: MerchantWindow) =>
        reading.history.some(([fromMs, toMs]) => fromMs <= startMs && startMs < toMs);
      const past = [...this.#history.values()].filter(({ merchantId }) => merchantId === merchant);
      served.push(...reading.windows.map((row) => fromRow(row)), ...past.filter(isHistorys));
    }
    const expected = this.#model.totals();
    const actual = totalsReported(served);
    for (const key of new Set([...expected.keys(), ...actual.keys()])) {
      const [should, is] = [text(expected.get(key)), text(actual.get(key))];
      if (should !== is) throw new Error(`${key} should be ${should}, is ${is}`);
    }
    const journal = this.#object.rows("journal").length;
    if (journal > ROWS_MAX) throw new Error(`${journal} rows in the journal`);
  }

  #newEvents(): void {
    const { isCrowded } = this.#options;
    const ageMs = this.#pick([
      [14, () => this.#below(12 * MINUTE_MS)],
      [4, () => this.#below(3 * HOUR_MS)],
      [2, () => HORIZON_MS - this.#below(HOUR_MS)],
      [1, () => -this.#below(4 * MINUTE_MS)],
    ]);
    for (let n = isCrowded && this.#chance(0.2) ? 700 : 1 + this.#below(5); n > 0; n--) {
      const event = payment({
        event_id: `e${this.#events++}`,
        merchant_id: `m${this.#below(isCrowded ? 1_000 : 3)}`,
        currency: this.#chance(0.2) ? "EUR" : "JPY",
        type: this.#chance(0.2) ? "refund" : "payment",
        amount: this.#below(1_000),
        occurred_at: this.#nowMs - ageMs(),
      });
      this.#merchants.add(event.merchant_id);
      this.#log.push(event);
      // A source that sends again what it changed meanwhile: whichever comes first counts.
      if (this.#chance(0.1)) this.#log.push({ ...event, amount: event.amount + 1 });
    }
  }

  /** Some of the log, in any order and grouping, and some of what is long counted. */
  async #deliver(): Promise<void> {
    const events = this.#take(this.#log, 700);
    for (let n = this.#below(3); n > 0 && this.#acknowledged.length > 0; n--) {
      const repeat = this.#acknowledged[this.#below(this.#acknowledged.length)];
      if (repeat !== undefined) events.push(repeat);
    }
    this.#object.isFull = !this.#isCalm && this.#chance(0.1);
    const statuses = await this.#apply(events);
    this.#object.isFull = false;
    const isHeard = statuses !== undefined && (this.#isCalm || this.#chance(0.7));
    this.trace.push(`deliver ${events.map((e) => e.event_id).slice(0, 9)} → ${statuses ?? "error"} heard ${isHeard}`);
    if (isHeard) this.#acknowledged.push(...events);
    else this.#log.push(...events);
  }

  async #apply(events: readonly PaymentEvent[]): Promise<Uint8Array | undefined> {
    const shard = await this.#object.shard();
    let statuses: Uint8Array;
    try {
      statuses = shard.apply(bytesOf(events));
    } catch (error) {
      if (!this.#object.isFull) throw error;
      return undefined;
    }
    events.forEach((event, i) => {
      this.#judge(event, statuses[i] ?? -1);
    });
    return statuses;
  }

  #judge(event: PaymentEvent, status: number): void {
    const isKnown = this.#model.has(event);
    const mayBeLate = windowOf(event.occurred_at) + HORIZON_MS <= this.#furthestMs;
    const isRepeat = status === STATUS.duplicate || status === STATUS.conflict;
    if (
      isKnown ? !isRepeat && !(status === STATUS.late && mayBeLate) : isRepeat || (status === STATUS.late && !mayBeLate)
    )
      throw new Error(`${event.event_id}, ${isKnown ? "counted" : "not counted"} before, gets status ${status}`);
    if (status === STATUS.accepted) this.#model.add(event);
  }

  /** The alarm when it is due, or, as the platform may, once more or a little early. */
  async #ring(): Promise<void> {
    const { alarmMs } = this.#object;
    const isDue = alarmMs !== null && alarmMs <= this.#nowMs;
    if (!isDue && !this.#chance(0.1)) return;
    this.trace.push(`ring, due ${alarmMs === null ? "never" : alarmMs - this.#nowMs}`);
    await this.#object.ring(this.#nowMs);
  }

  /** The WINDOWS queue takes what the shard sends, or not, or takes it and fails, or never answers; and meanwhile time goes on. */
  async #takeWindows(messages: readonly { body: Uint8Array }[]): Promise<void> {
    const fate = this.#isCalm ? 1 : this.#random();
    const isTaken = fate > 0.2;
    if (isTaken) this.#queue.push(...messages.map(({ body }) => body));
    this.trace.push(`send ${messages.length}, fate ${fate.toFixed(2)}`);
    for (let n = this.#isCalm ? 0 : this.#below(3); n > 0; n--) {
      await this.#pick([
        [1, () => this.#newEvents()],
        [2, () => this.#deliver()],
        [1, () => this.#store()],
      ])();
    }
    if (fate < 0.1 || (fate > 0.2 && fate < 0.3)) {
      this.#object.crash();
      return await new Promise(() => {});
    }
    if (fate < 0.35) throw new Error("the queue does not answer");
  }

  /** The WINDOWS consumer: any messages in any order; some die, history may fail, or the consumer before it confirms or acknowledges. */
  async #store(): Promise<void> {
    if (this.#queue.length === 0) return;
    const fate = this.#isCalm ? 1 : this.#random();
    const bodies = this.#take(this.#queue, 3).filter(() => this.#isCalm || !this.#chance(0.1));
    this.trace.push(`store ${bodies.length}, fate ${fate.toFixed(2)}`);
    if (fate > 0.1) {
      const parts = bodies.map((body) => this.#insert(body));
      if (fate > 0.3) (await this.#object.shard()).confirm(parts);
    }
    if (fate < 0.2 || (fate > 0.3 && fate < 0.4)) this.#queue.push(...bodies);
  }

  #insert(body: Uint8Array): [emission: number, part: number] {
    const message = decodeWindowsMessage(new TextDecoder().decode(gunzip(body, 10_000_000)));
    if (!message.ok) throw new Error(message.error.reason);
    for (const window of message.value.rows.map(fromRow)) {
      const key = windowKey(window.merchantId, window.currency, window.startMs);
      const stored = this.#history.get(key);
      if (stored?.revision === window.revision && text(toRow(stored)) !== text(toRow(window))) {
        throw new Error(`two states of ${key} under one revision`);
      }
      if (stored === undefined || stored.revision < window.revision) this.#history.set(key, window);
    }
    return [message.value.emission, message.value.part];
  }

  #tick(): void {
    const ms = this.#pick([
      [4, () => this.#below(1_000)],
      [6, () => this.#below(5 * MINUTE_MS)],
      [3, () => this.#below(40 * MINUTE_MS)],
      [1, () => this.#below(10 * HOUR_MS)],
      [1, () => -this.#below(3 * MINUTE_MS)],
    ])();
    this.trace.push(`tick ${ms}`);
    this.#setClock(this.#nowMs + ms);
  }

  #crash(): void {
    this.trace.push("crash");
    this.#object.crash();
  }

  /** The alarm rings on a machine whose clock is more than a day ahead. */
  async #lookAhead(): Promise<void> {
    this.trace.push("ring a day and a half ahead");
    const nowMs = this.#nowMs;
    this.#setClock(nowMs + 36 * HOUR_MS);
    await this.#object.ring(this.#nowMs);
    this.#object.crash();
    this.#setClock(nowMs);
  }

  #setClock(ms: number): void {
    this.#nowMs = ms;
    this.#furthestMs = Math.max(this.#furthestMs, ms);
    this.#options.setClock(ms);
  }

  /** Removes up to `max` of a list, in any order; all of it when everything works. */
  #take<T>(list: T[], max: number): T[] {
    const taken: T[] = [];
    for (let n = this.#isCalm ? list.length : this.#below(max + 1); n > 0 && list.length > 0; n--) {
      taken.push(...list.splice(this.#below(list.length), 1));
    }
    return taken;
  }

  #pick<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let at = this.#random() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      at -= weight;
      if (at < 0) return choice;
    }
    throw new Error("nothing to pick from");
  }

  readonly #below = (n: number) => Math.floor(this.#random() * n);
  readonly #chance = (p: number) => this.#random() < p;
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "nothing";

/** Mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c): the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
