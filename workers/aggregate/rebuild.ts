import { archivedKind, archivePrefix } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { shardOf } from "../../shared/topology.ts";
import { HOUR_MS, isFinal, windowStart } from "../../shared/window.ts";
import { loadTopology } from "../directory/topology.ts";
import { log } from "../log.ts";
import { ARCHIVE_OBJECT_BYTES_MAX, type ArchivedEvent, readArchived } from "./archived-events.ts";
import { DamagedWindow } from "./damage.ts";
import type { ShardState } from "./engine.ts";
import { type Env, settingsOf } from "./env.ts";
import type { Journal } from "./journal.ts";
import { beginRecount, type Recount, recount } from "./recount.ts";
import { Slice } from "./slice.ts";
import { wholeObject } from "./whole-object.ts";
import type { WorkingSet } from "./working-set.ts";

/**
 * Of the archive, read in one alarm, but for one object that is larger: a megabyte of gzip has some 25,000 lines and took 0.2 to 0.3 s of
 * CPU, of the 30 s an alarm has (Cloudflare Workers, "Limits").
 */
const REBUILD_BYTES_PER_ALARM = 16_000_000;
/** Many objects are small, and each is a read of R2 to wait for. */
export const REBUILD_OBJECTS_PER_ALARM = 100;
/** As many events as fit a shard batch, whatever texts they carry. */
const RECOUNT_EVENTS_MAX = 1_000;

/** One reading of an hour of the archive, on which all damaged windows of the hour are counted. */
interface Pass {
  readonly hourMs: number;
  readonly recount: Recount;
  readonly isOwn: (event: PaymentEvent) => boolean;
  /** Key of the last object that was read. */
  afterKey: string | undefined;
}

/**
 * Rebuilds damaged windows from the archive, the latest hour first. In memory until an hour is read to its end, but for identities of large windows,
 * which are sealed as they come; a crash begins it anew. Then its pages are written in the same transaction that takes it out of `damaged`.
 *
 * What is archived before the hour is listed is counted by the rebuild. What is archived later comes to the shard later, too: the log
 * calls it after it has archived, and such a call is refused until the rebuild has ended.
 */
export class Rebuild {
  readonly #shard: DurableObjectId;
  readonly #state: ShardState;
  readonly #journal: Journal;
  readonly #memory: WorkingSet;
  #pass: Pass | undefined;

  constructor(shard: DurableObjectId, state: ShardState, journal: Journal, memory: WorkingSet) {
    this.#shard = shard;
    this.#state = state;
    this.#journal = journal;
    this.#memory = memory;
  }

  /** Goes on with the rebuild by a limited part of the hour. To be called again while anything is damaged; throws when the archive is away. */
  async advance(env: Env): Promise<void> {
    if (this.#state.damaged.size === 0) return;
    this.#pass ??= await this.#begin(env);
    const pass = this.#pass;
    const { objects, truncated } = await env.ARCHIVE.list({
      prefix: archivePrefix(pass.hourMs),
      limit: REBUILD_OBJECTS_PER_ALARM,
      ...(pass.afterKey === undefined ? {} : { startAfter: pass.afterKey }),
    });
    let bytes = 0;
    // Keys begin with the moment their first message was received, so this is the order of receiving.
    for (const { key, size } of objects) {
      if (archivedKind(key) !== "lines") return this.#letGo(pass);
      if (bytes > 0 && bytes + size > REBUILD_BYTES_PER_ALARM) return;
      await this.#readObject(env, pass, key, size);
      pass.afterKey = key;
      bytes += size;
    }
    if (!truncated) this.#finish(pass);
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
    return { hourMs, recount, isOwn, afterKey: undefined };
  }

  async #readObject(env: Env, pass: Pass, key: string, size: number): Promise<void> {
    const report = (error: unknown) =>
      log("error", "archive object damaged", { shard: this.#shard.toString(), key, error });
    if (size > ARCHIVE_OBJECT_BYTES_MAX) return report(new Error(`${size} bytes are more than one object takes`));
    const object = await env.ARCHIVE.get(key);
    if (object === null) {
      this.#pass = undefined;
      throw new Error(`${key} has gone since it was listed`);
    }
    const events = await readArchived(await wholeObject(object), pass.isOwn, report);
    for (let at = 0; at < events.length; at += RECOUNT_EVENTS_MAX) {
      this.#recount(env, pass, events.slice(at, at + RECOUNT_EVENTS_MAX));
    }
    this.#memory.trim(Date.now());
  }

  #recount(env: Env, pass: Pass, events: readonly ArchivedEvent[]): void {
    const batch = batchOf(
      events.map(({ event }) => event),
      settingsOf(env).IDENTITY_KEY,
    );
    const receivedAtMs = events.map((event) => event.receivedAtMs);
    this.#memory.reading(() => {
      try {
        recount(this.#state, pass.recount, batch, receivedAtMs);
      } catch (error) {
        throw this.#isOfPass(pass, error)
          ? new Error("what the rebuild has sealed is damaged", { cause: error })
          : error;
      }
    }, Date.now());
    for (const slice of pass.recount.slices.values()) {
      const ids = this.#journal.pages.seal(slice);
      if (ids !== slice.ids) slice.takeStored(ids);
    }
  }

  /** Its windows are noted as damaged already, and asking once more would find the same: the hour is begun anew. */
  #isOfPass(pass: Pass, error: unknown): boolean {
    const isOfPass = error instanceof DamagedWindow && pass.recount.slices.has(error.startMs);
    if (isOfPass) this.#pass = undefined;
    return isOfPass;
  }

  /**
   * Windows of an hour that is compacted are history's alone: it is compacted once it is final and history was compared with the archive. Before they
   * are final, which cannot be unless clocks differ by hours, they wait.
   */
  #letGo({ hourMs, recount: { slices } }: Pass): void {
    this.#pass = undefined;
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
    this.#pass = undefined;
    this.#memory.trim(Date.now());
    log("info", "windows rebuilt from the archive", {
      shard: this.#shard.toString(),
      hour: new Date(hourMs).toISOString(),
      windows: slices.size,
      events: [...slices.values()].reduce((sum, { ids }) => sum + ids.size, 0),
    });
  }
}
