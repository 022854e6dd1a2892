import type { DurableObjectStorage, SqlStorageCursor, SqlStorageValue } from "@cloudflare/workers-types";
import { realTime, shownTime } from "./clock.ts";
import { count, countRowsWritten } from "./counters.ts";

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>;

/** An object's alarm by the benchmark's clock, not counted: for when the clock is moved. */
export interface Alarm {
  get(): Promise<number | null>;
  set(shownMs: number): Promise<void>;
}

/**
 * Has an object's storage count the rows it reads and writes, and keep its alarm by the benchmark's clock. The methods are laid over
 * those of the very object the runtime made: it takes no other in its place.
 */
export function countStorage(storage: DurableObjectStorage): Alarm {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  let last: { readonly query: string; readonly cursor: Cursor } | undefined;
  const settle = () => {
    if (last === undefined) return;
    countRowsWritten(last.query, last.cursor.rowsWritten);
    count("rows_read", last.cursor.rowsRead);
    last = undefined;
  };
  // What a cursor has read and written is final once it has been consumed, which is before the next statement, or after the last.
  override(sql, "exec", (query: string, ...bindings: SqlStorageValue[]) => {
    settle();
    const cursor = exec(query, ...bindings);
    last = { query, cursor };
    queueMicrotask(settle);
    return cursor;
  });
  const setAlarm = storage.setAlarm.bind(storage);
  const getAlarm = storage.getAlarm.bind(storage);
  const alarm: Alarm = {
    get: async () => {
      const realMs = await getAlarm();
      return realMs === null ? null : shownTime(realMs);
    },
    set: (shownMs) => setAlarm(realTime(shownMs)),
  };
  override(storage, "getAlarm", alarm.get);
  override(storage, "setAlarm", (scheduled: number | Date) => {
    count("alarms_set");
    return alarm.set(Number(scheduled));
  });
  return alarm;
}

function override(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true });
}
