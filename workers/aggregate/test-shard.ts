import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { PaymentEvent } from "../../shared/event.ts";
import { decodeWindowsMessage, type WindowsMessage } from "../../shared/messages/windows.ts";
import { gunzip } from "../gzip.ts";
import type { Env } from "./env.ts";
import { bytesOf } from "./sample-payments.ts";
import { Shard, type ShardReading } from "./shard.ts";

export const workerEnv = env as unknown as Env;

/** A shard in the real runtime, with what a test needs to look inside and to break things. */
export class TestShard {
  readonly stub: DurableObjectStub<Shard>;
  /** What the queue took, in order, once `catchWindows` was called. */
  readonly sent: Uint8Array<ArrayBuffer>[] = [];

  constructor(name: string) {
    this.stub = workerEnv.SHARD.get(workerEnv.SHARD.idFromName(name));
  }

  async apply(events: readonly PaymentEvent[]): Promise<number[]> {
    return [...(await this.stub.apply(bytesOf(events)))];
  }

  async read(merchant = "shop", bringBack = false): Promise<ShardReading> {
    return JSON.parse(await this.stub.read(merchant, 0, 1e15, bringBack));
  }

  /** Takes the place of the WINDOWS queue until the next eviction. `meanwhile` happens inside the object while it is sending, and may fail. */
  async catchWindows(
    meanwhile: (instance: Shard, state: DurableObjectState) => void | Promise<void> = () => {},
  ): Promise<void> {
    await runInDurableObject(this.stub, (instance, state) => {
      const take = async (bodies: readonly Uint8Array<ArrayBuffer>[]) => {
        await meanwhile(instance, state);
        this.sent.push(...bodies);
      };
      const WINDOWS = {
        send: (body: Uint8Array<ArrayBuffer>) => take([body]),
        sendBatch: (messages: Iterable<{ readonly body: Uint8Array<ArrayBuffer> }>) =>
          take([...messages].map(({ body }) => body)),
      };
      (instance as unknown as { env: unknown }).env = { ...workerEnv, WINDOWS };
    });
  }

  messages(): WindowsMessage[] {
    return this.sent.map((body) => {
      const message = decodeWindowsMessage(new TextDecoder().decode(gunzip(body, 100_000_000)));
      if (!message.ok) throw new Error(message.error.reason);
      return message.value;
    });
  }

  async confirmAll(): Promise<void> {
    await this.stub.confirm(this.messages().map(({ emission, part }) => [emission, part] as const));
  }

  /** Rings the alarm if one is set, whatever the time. */
  async ring(): Promise<boolean> {
    return await runDurableObjectAlarm(this.stub);
  }

  /** Goes to where the alarm is due, again and again, until something is sent. Moves the clock, which the test has to have faked. */
  async ringUntilSent(): Promise<void> {
    const before = this.sent.length;
    for (let rings = 0; this.sent.length === before; rings++) {
      const dueMs = await this.alarmMs();
      if (dueMs === null || rings > 5) throw new Error("nothing is sent");
      vi.setSystemTime(Math.max(Date.now(), dueMs));
      await this.ring();
    }
  }

  async evict(): Promise<void> {
    await evictDurableObject(this.stub);
  }

  /** Has all there is written to pages, as a shard without room in memory would when it has changes of old windows; then starts it anew. */
  async writePages(limits: Partial<Env> = {}): Promise<void> {
    await this.evict();
    await runInDurableObject(this.stub, async (_, state) => {
      const WINDOWS = { send: async () => {}, sendBatch: async () => {} };
      const cramped = new Shard(state, { ...workerEnv, WINDOWS, RESIDENT_BYTES_MAX: "0", ...limits } as unknown as Env);
      await cramped.alarm();
    });
    await this.evict();
  }

  async alarmMs(): Promise<number | null> {
    return await runInDurableObject(this.stub, (_, state) => state.storage.getAlarm());
  }

  async sql(query: string, ...bindings: SqlStorageValue[]): Promise<Record<string, SqlStorageValue>[]> {
    return await runInDurableObject(this.stub, (_, state) => state.storage.sql.exec(query, ...bindings).toArray());
  }

  async rows(table: string): Promise<number> {
    const [row] = await this.sql(`SELECT count(*) AS n FROM ${table}`);
    return Number(row?.n);
  }
}
