import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { Random } from "../seeded-random.ts";
import { type OutgoingMessage, refusalOf } from "./queue-limits.ts";
import type { QueueSettings, Queues } from "./queue-settings.ts";
import type { Verdict } from "./wire.ts";

/** A message is deliverable from `due_ms` on. While a consumer has it, `lease` says which batch, and `due_ms` when that is given up. */
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  -- A commit is on disk before send is answered: what the platform calls sent outlives the machine.
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS message (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    body BLOB NOT NULL,
    sent_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease TEXT
  );
  CREATE INDEX IF NOT EXISTS message_due ON message (queue, due_ms);
  CREATE INDEX IF NOT EXISTS message_lease ON message (lease) WHERE lease IS NOT NULL;
`;

export interface StoredMessage {
  readonly id: string;
  readonly body: Uint8Array;
  /** Epoch ms. */
  readonly sentMs: number;
  /** Deliveries, this one included. */
  readonly attempts: number;
}

export interface Batch {
  readonly queue: string;
  /** Names the delivery: a verdict on one that was given up meanwhile changes nothing. */
  readonly lease: string;
  readonly messages: readonly StoredMessage[];
}

export interface MessageStoreOptions {
  /** An SQLite file; whatever is in it already is still to be delivered. */
  readonly path: string;
  readonly queues: Queues;
  /** Time for a delivery; without a verdict by then its messages are delivered again. */
  readonly leaseMs: number;
  /** Shuffles batches and picks what is repeated: neither an order nor a single delivery is promised. */
  readonly random: Random;
  /** Unique, also among those of earlier processes. */
  readonly newId: () => string;
  /** Of the acknowledged messages, this share is delivered once more all the same. */
  readonly repeatShare: number;
}

/**
 * Queues on disk that keep the platform's promise, no more and no less: a message that was sent is delivered until it is acknowledged,
 * at least once, or until its retries are used up; then it moves to the dead-letter queue, under the same id.
 */
export class MessageStore {
  readonly #db: DatabaseSync;
  readonly #options: MessageStoreOptions;

  constructor(options: MessageStoreOptions) {
    this.#options = options;
    this.#db = new DatabaseSync(options.path);
    this.#db.exec(SCHEMA);
  }

  /** Returns once all of them are on disk. Throws a `RangeError`, with none of them taken, for what the platform would refuse. */
  put(queue: string, messages: readonly OutgoingMessage[], nowMs: number): void {
    if (!this.#options.queues.has(queue)) throw new RangeError(`no queue ${queue}`);
    const refusal = refusalOf(messages);
    if (refusal !== undefined) throw new RangeError(refusal);
    const insert = this.#db.prepare("INSERT INTO message (id, queue, body, sent_ms, due_ms) VALUES (?, ?, ?, ?, ?)");
    this.#transaction(() => {
      for (const { body, delayS } of messages) {
        insert.run(this.#options.newId(), queue, body, nowMs, nowMs + delayS * 1000);
      }
    });
  }

  /** The batch that is due now, leased to the caller; `undefined` while there is none, or its consumer has as many as it takes. */
  take(queue: string, nowMs: number): Batch | undefined {
    const settings = this.#options.queues.get(queue);
    if (settings === undefined) return undefined;
    return this.#transaction(() => {
      for (const row of this.#expired(queue, settings, nowMs)) this.#endOrRetry(row, settings, nowMs, 0);
      if (this.#batchDueMs(queue, settings, nowMs) > nowMs) return undefined;
      const lease = this.#options.newId();
      const rows = this.#db
        .prepare(
          `UPDATE message SET lease = ?, attempts = attempts + 1, due_ms = ?
           WHERE id IN (SELECT id FROM message WHERE queue = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?)
           RETURNING id, body, sent_ms, attempts`,
        )
        .all(lease, nowMs + this.#options.leaseMs, queue, nowMs, settings.maxBatchSize);
      return { queue, lease, messages: shuffled(rows.map(messageOf), this.#options.random) };
    });
  }

  /** When `take` is next worth asking, should nothing be sent and no batch end before; `undefined` for an empty queue. */
  nextMs(queue: string, nowMs: number): number | undefined {
    const settings = this.#options.queues.get(queue);
    if (settings === undefined) return undefined;
    const next = Math.min(this.#batchDueMs(queue, settings, nowMs), this.#firstDueMs(queue, nowMs));
    return Number.isFinite(next) ? next : undefined;
  }

  /** Deletes what was acknowledged; what was not comes again, or is dead. Too late for a batch that was given up: that changes nothing. */
  settle({ queue, lease }: Batch, { acked, retried }: Verdict, nowMs: number): void {
    const settings = this.#settings(queue);
    const isAcked = new Set(acked);
    const delays = new Map(retried.map(({ id, delay_s }) => [id, delay_s]));
    this.#transaction(() => {
      for (const row of this.#leased(lease)) {
        const delayS = delays.get(row.id);
        if (!isAcked.has(row.id)) {
          this.#endOrRetry(row, settings, nowMs, delayS === undefined ? settings.retryDelayMs : delayS * 1000);
        } else if (this.#options.random() < this.#options.repeatShare) {
          this.#db.prepare("UPDATE message SET lease = NULL, due_ms = ? WHERE id = ?").run(nowMs, row.id);
        } else {
          this.#db.prepare("DELETE FROM message WHERE id = ?").run(row.id);
        }
      }
    });
  }

  /** For a batch that did not reach its consumer: it counts as no delivery, and is due again after `pauseMs`. */
  giveBack({ lease }: Batch, nowMs: number, pauseMs: number): void {
    this.#db
      .prepare("UPDATE message SET lease = NULL, attempts = attempts - 1, due_ms = ? WHERE lease = ?")
      .run(nowMs + pauseMs, lease);
  }

  /** Whatever waits for a retry, or was sent with a delay, is due at once; what is with a consumer stays there. */
  endDelays(nowMs: number): void {
    this.#db.prepare("UPDATE message SET due_ms = ? WHERE lease IS NULL AND due_ms > ?").run(nowMs, nowMs);
  }

  /** Messages of each queue that has some, whether delayed, deliverable or with a consumer. */
  backlog(): Readonly<Record<string, number>> {
    const rows = this.#db.prepare("SELECT queue, count(*) AS messages FROM message GROUP BY queue").all();
    return Object.fromEntries(rows.map(({ queue, messages }) => [String(queue), Number(messages)]));
  }

  close(): void {
    this.#db.close();
  }

  #settings(queue: string): QueueSettings {
    const settings = this.#options.queues.get(queue);
    if (settings === undefined) throw new Error(`nobody consumes ${queue}`);
    return settings;
  }

  /** When the next batch goes: at once when it is full, else when its oldest message has waited long enough. */
  #batchDueMs(queue: string, settings: QueueSettings, nowMs: number): number {
    if (this.#leases(queue, nowMs) >= settings.maxConcurrency) return Number.POSITIVE_INFINITY;
    const [row] = this.#db
      .prepare("SELECT count(*) AS ready, min(due_ms) AS oldest_ms FROM message WHERE queue = ? AND due_ms <= ?")
      .all(queue, nowMs);
    const ready = Number(row?.ready);
    if (ready === 0) return Number.POSITIVE_INFINITY;
    return ready >= settings.maxBatchSize ? nowMs : Number(row?.oldest_ms) + settings.maxBatchTimeoutMs;
  }

  /** Of the messages that are still delayed, or with a consumer whose time ends then. */
  #firstDueMs(queue: string, nowMs: number): number {
    const [row] = this.#db
      .prepare("SELECT min(due_ms) AS due_ms FROM message WHERE queue = ? AND due_ms > ?")
      .all(queue, nowMs);
    return typeof row?.due_ms === "number" ? row.due_ms : Number.POSITIVE_INFINITY;
  }

  #leases(queue: string, nowMs: number): number {
    const [row] = this.#db
      .prepare(
        "SELECT count(DISTINCT lease) AS leases FROM message INDEXED BY message_lease WHERE queue = ? AND due_ms > ? AND lease IS NOT NULL",
      )
      .all(queue, nowMs);
    return Number(row?.leases);
  }

  #leased(lease: string): Leased[] {
    return this.#db.prepare("SELECT id, attempts FROM message WHERE lease = ?").all(lease).map(leasedOf);
  }

  /** Messages that a consumer had for too long, for the last time. */
  #expired(queue: string, { maxRetries }: QueueSettings, nowMs: number): Leased[] {
    return this.#db
      .prepare(
        "SELECT id, attempts FROM message WHERE queue = ? AND due_ms <= ? AND lease IS NOT NULL AND attempts > ?",
      )
      .all(queue, nowMs, maxRetries)
      .map(leasedOf);
  }

  #endOrRetry({ id, attempts }: Leased, settings: QueueSettings, nowMs: number, delayMs: number): void {
    if (attempts <= settings.maxRetries) {
      this.#db.prepare("UPDATE message SET lease = NULL, due_ms = ? WHERE id = ?").run(nowMs + delayMs, id);
    } else if (settings.deadLetterQueue === undefined) {
      this.#db.prepare("DELETE FROM message WHERE id = ?").run(id);
    } else {
      this.#db
        .prepare("UPDATE message SET queue = ?, attempts = 0, lease = NULL, due_ms = ? WHERE id = ?")
        .run(settings.deadLetterQueue, nowMs, id);
    }
  }

  #transaction<T>(change: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

interface Leased {
  readonly id: string;
  readonly attempts: number;
}

type Row = Record<string, SQLOutputValue>;

function leasedOf({ id, attempts }: Row): Leased {
  return { id: String(id), attempts: Number(attempts) };
}

function messageOf({ id, body, sent_ms, attempts }: Row): StoredMessage {
  if (!(body instanceof Uint8Array)) throw new Error(`message ${id} has no bytes`);
  return { id: String(id), body, sentMs: Number(sent_ms), attempts: Number(attempts) };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const all = [...items];
  for (let end = all.length; end > 1; end -= 1) {
    const [picked] = all.splice(Math.floor(random() * end), 1);
    if (picked !== undefined) all.push(picked);
  }
  return all;
}
