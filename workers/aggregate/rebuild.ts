import { archivedKind, archivePrefix } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { EventBatch } from "../../shared/event-batch.ts";
import { shardOf } from "../../shared/topology.ts";
import { HOUR_MS, isFinal, windowStart } from "../../shared/window.ts";
import { loadTopology } from "../directory/topology.ts";
import { log } from "../log.ts";
import { ARCHIVE_OBJECT_BYTES_MAX, type ArchivedEvent, readArchived } from "./archived-events.ts";
import { DamagedWindow } from "./damage.ts";
import { isRecent, type ShardState } from "./engine.ts";
import { type Env, settingsOf } from "./env.ts";
import type { Journal } from "./journal.ts";
import { type RebuildTurn, turnOf } from "./rebuild-turn.ts";
import { beginRecount, type Recount, recount } from "./recount.ts";
import { REBUILD_BYTES_MAX } from "./residency.ts";
import { Slice } from "./slice.ts";
import { wholeObject } from "./whole-object.ts";
import type { Beside, WorkingSet } from "./working-set.ts";

/**
 * Of the archive, read in one alarm, but for one object that is larger: a megabyte of gzip has some 25,000 lines and took 0.2 to 0.3 s of
 * CPU, of the 30 s an alarm has (Cloudflare Workers, "Limits").
 */
const REBUILD_BYTES_PER_ALARM = 16_000_000;
/** Many objects are small, and each is a read of R2 to wait for. */
export const REBUILD_OBJECTS_PER_ALARM = 100;
/** Of small objects so many are counted at once, since each window nearby has to be asked; of a large one all it has, 85 bytes each. */
const RECOUNT_EVENTS_MIN = 5_000;
/** While another shard of the isolate has its turn. */
const TURN_WAIT_MS = 2_000;
/** A pass that fails so often in a row, with nothing read in between, leaves its turn to others. */
const FAILURES_MAX = 6;
/** After a rebuild that there was no room for. */
export const ROOM_WAIT_MS = 60_000;

/** One reading of an hour of the archive, on which damaged windows of the hour are counted: all of them, or the last ones, as many as there is room for. */
interface Pass {
  readonly hourMs: number;
  readonly recount: Recount;
  readonly isOwn: (event: PaymentEvent) => boolean;
  /** Key of the last object that was read. */
  afterKey: string | undefined;
  /** What was read and is not counted yet: nothing between alarms, unless one failed. */
  read: Read;
}

interface Read {
  readonly batch: EventBatch;
  readonly receivedAtMs: number[];
}

const nothingRead = (): Read => ({ batch: new EventBatch(), receivedAtMs: [] });

/**
 * Rebuilds damaged windows from the archive, the latest hour first. In memory until an hour is read to its end, but for identities of large windows,
 * which are sealed as they come; a crash begins it anew. Then its pages are written in the same transaction that takes it out of `damaged`.
 *
 * What is archived before the hour is listed is counted by the rebuild. What is archived later comes to the shard later, too: the log
 * calls it after it has archived, and such a call is refused until the rebuild has ended.
 *
 * Its memory is part of the shard's, and comes last: what does not fit is counted in fewer windows at a time, or later. Shards of an isolate take turns.
 */
export class Rebuild implements Beside {
  readonly #shard: DurableObjectId;
  readonly #state: ShardState;
  readonly #journal: Journal;
  readonly #memory: WorkingSet;
  readonly #bytesMax: number;
  #pass: Pass | undefined;
  #turn: RebuildTurn | undefined;
  #bytes = 0;
  #fromMs = 0;
  #failures = 0;

  constructor(
    shard: DurableObjectId,
    state: ShardState,
    journal: Journal,
    memory: WorkingSet,
    bytesMax = REBUILD_BYTES_MAX,
  ) {
    this.#bytesMax = bytesMax;
    this.#shard = shard;
    this.#state = state;
    this.#journal = journal;
    this.#memory = memory;
    memory.keepBeside(this);
  }

  /** What its windows take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** It has nothing to do before, but to wait for its turn or for room. */
  get fromMs(): number {
    return this.#fromMs;
  }

  /** Forgets what has been counted of the hour, which is begun anew after a while. */
  letGo(): void {
    this.#end();
    this.#turn?.leave(this.#shard.toString());
    this.#fromMs = Date.now() + ROOM_WAIT_MS;
    log("warn", "a rebuild waits for room in memory", { shard: this.#shard.toString() });
  }

  /**
   * Goes on with the rebuild by a limited part of the hour. To be called again, from `fromMs` on, while anything is damaged; throws when the archive is
   * away, and when one window does not fit.
   */
  async advance(env: Env): Promise<void> {
    if (this.#state.damaged.size === 0 || Date.now() < this.#fromMs) return;
    const turn = turnOf(env);
    this.#turn = turn;
    try {
      if (this.#isTurn(turn)) await this.#goOn(env, turn);
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= FAILURES_MAX) this.#end();
      throw error;
    } finally {
      if (this.#pass === undefined) turn.leave(this.#shard.toString());
    }
  }

  /** What is counted already goes with a turn that was lost. While a recent window is damaged the shard takes no batch at all: that is urgent. */
  #isTurn(turn: RebuildTurn): boolean {
    const nowMs = Date.now();
    const isUrgent = isRecent(Math.max(...this.#state.damaged.keys()), nowMs);
    if (turn.take(this.#shard.toString(), isUrgent, nowMs)) return true;
    this.#end();
    this.#fromMs = nowMs + TURN_WAIT_MS;
    return false;
  }

  async #goOn(env: Env, turn: RebuildTurn): Promise<void> {
    this.#pass ??= await this.#begin(env);
    const pass = this.#pass;
    const { objects, truncated } = await env.ARCHIVE.list({
      prefix: archivePrefix(pass.hourMs),
      limit: REBUILD_OBJECTS_PER_ALARM,
      ...(pass.afterKey === undefined ? {} : { startAfter: pass.afterKey }),
    });
    let bytes = 0;
    let isEnd = !truncated;
    // Keys begin with the moment their first message was received, so this is the order of receiving.
    for (const { key, size } of objects) {
      if (archivedKind(key) !== "lines") return this.#leaveToHistory(pass);
      if (bytes > 0 && bytes + size > REBUILD_BYTES_PER_ALARM) {
        isEnd = false;
        break;
      }
      if (!this.#isTurn(turn)) return;
      await this.#readObject(env, pass, key, size);
      // A batch that was counted meanwhile may have needed the room.
      if (this.#pass !== pass) return;
      pass.afterKey = key;
      this.#failures = 0;
      bytes += size;
      if (pass.read.batch.size >= RECOUNT_EVENTS_MIN) this.#recount(pass);
    }
    this.#recount(pass);
    if (isEnd) this.#finish(pass);
  }

  #end(): void {
    this.#pass = undefined;
    this.#bytes = 0;
    this.#failures = 0;
  }

  async #begin(env: Env): Promise<Pass> {
    const topology = await loadTopology(env.DIRECTORY, Date.now());
    const own = new Map<string, boolean>();
    const hourOf = (ms: number) => ms - (ms % HOUR_MS);
    const hourMs = hourOf(Math.max(...this.#state.damaged.keys()));
    const starts = [...this.#state.damaged.keys()].filter((startMs) => hourOf(startMs) === hourMs);
    const recount = beginRecount(this.#state, starts, Date.now());
    const isOwn = ({ merchant_id, occurred_at }: PaymentEvent) => {
      const startMs = windowStart(occurred_at);
      if (!recount.slices.has(startMs)) return false;
      const name = shardOf(topology, merchant_id, startMs);
      // An object called by its id is not told its name.
      const isOwn = own.get(name) ?? env.SHARD.idFromName(name).toString() === this.#shard.toString();
      own.set(name, isOwn);
      return isOwn;
    };
    return { hourMs, recount, isOwn, afterKey: undefined, read: nothingRead() };
  }

  async #readObject(env: Env, pass: Pass, key: string, size: number): Promise<void> {
    const report = (error: unknown) =>
      log("error", "archive object damaged", { shard: this.#shard.toString(), key, error });
    if (size > ARCHIVE_OBJECT_BYTES_MAX) return report(new Error(`${size} bytes are more than one object takes`));
    const object = await env.ARCHIVE.get(key);
    if (object === null) {
      this.#end();
      throw new Error(`${key} has gone since it was listed`);
    }
    const { IDENTITY_KEY } = settingsOf(env);
    const { batch, receivedAtMs } = pass.read;
    const keep = ({ event, receivedAtMs: atMs }: ArchivedEvent) => {
      if (!pass.isOwn(event)) return;
      batch.add(event, IDENTITY_KEY);
      receivedAtMs.push(atMs);
    };
    await readArchived(await wholeObject(object), keep, report);
  }

  #recount(pass: Pass): void {
    const { batch, receivedAtMs } = pass.read;
    const ask = (slice: Slice) => this.#memory.ask(slice, Date.now());
    this.#memory.reading(() => {
      try {
        recount(this.#state, pass.recount, batch, receivedAtMs, ask);
      } catch (error) {
        throw this.#isOfPass(pass, error)
          ? new Error("what the rebuild has sealed is damaged", { cause: error })
          : error;
      }
    }, Date.now());
    pass.read = nothingRead();
    for (const slice of pass.recount.slices.values()) {
      const ids = this.#journal.pages.seal(slice);
      if (ids !== slice.ids) slice.takeStored(ids);
    }
    this.#fit(pass);
  }

  /** Has the windows take no more than they may: the first ones are counted by a later pass, or all of them when there is no room for one. */
  #fit({ recount: { slices } }: Pass): void {
    const measure = () => {
      // Of one revision, so that `Slice.bytes` would not see a change.
      this.#bytes = [...slices.values()].reduce((sum, { ids, table }) => sum + ids.byteLength + table.byteLength, 0);
      this.#memory.trim(Date.now());
    };
    measure();
    while (slices.size > 1 && (this.#bytes > this.#bytesMax || this.#memory.isFull)) {
      slices.delete(Math.min(...slices.keys()));
      measure();
    }
    if (!this.#memory.isFull) return;
    const bytes = this.#bytes;
    this.letGo();
    throw new Error(`a damaged window of more than ${bytes} bytes does not fit beside the others`);
  }

  /** Its windows are noted as damaged already, and asking once more would find the same: the hour is begun anew. */
  #isOfPass(pass: Pass, error: unknown): boolean {
    const isOfPass = error instanceof DamagedWindow && pass.recount.slices.has(error.startMs);
    if (isOfPass) this.#end();
    return isOfPass;
  }

  /**
   * Windows of an hour that is compacted are history's alone: it is compacted once it is final and history was compared with the archive. Before they
   * are final, which cannot be unless clocks differ by hours, they wait.
   */
  #leaveToHistory({ hourMs, recount: { slices } }: Pass): void {
    this.#end();
    const starts = [...slices.keys()];
    if (starts.some((startMs) => !isFinal(startMs, Date.now()))) {
      throw new Error(`${archivePrefix(hourMs)} is compacted and its windows are not final`);
    }
    this.#journal.checkpoint(this.#state, [], new Map(starts.map((startMs) => [startMs, new Slice(startMs)])));
    log("warn", "damaged windows left to history, their hour is compacted", {
      shard: this.#shard.toString(),
      hour: new Date(hourMs).toISOString(),
      windows: starts.length,
    });
  }

  #finish({ hourMs, recount: { slices } }: Pass): void {
    this.#journal.checkpoint(this.#state, [], slices);
    this.#end();
    // Asked before they leave memory, or asking would bring them back.
    const events = [...slices.values()].reduce((sum, { ids }) => sum + ids.size, 0);
    this.#memory.trim(Date.now());
    log("info", "windows rebuilt from the archive", {
      shard: this.#shard.toString(),
      hour: new Date(hourMs).toISOString(),
      windows: slices.size,
      events,
    });
  }
}
