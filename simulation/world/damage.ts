import type { Chance } from "./chance.ts";
import type { ObjectStorage } from "./object-storage.ts";

/**
 * What becomes of whole rows of a journal in a run. One that is gone is known by those after it, one that cannot be read by where it stands: of both,
 * one after the other at its end, a shard would know nothing.
 */
export type LostRows = "gone" | "unreadable";

interface Row {
  readonly table: string;
  /** Name and value of its key. */
  readonly key: string;
  readonly id: number;
}

/** Damages a row, and says what; `undefined` when there is none of its kind. `later` does something after a while, and says what it was. */
type Fault = (storage: ObjectStorage, chance: Chance, later: Later) => string | undefined;
type Later = (what: string, change: () => boolean) => void;

/** Numbers beyond these bits would be none that a row can have. */
const NUMBER_BITS = 45;

const PAGE_COLUMNS = ["revision", "windows", "bytes", "sum"];
const ENTRY_COLUMNS = ["seq", "at_ms", "windows", "stored", "conflicts", "sum"];
const MARK_COLUMNS = ["seq", "at_ms", "dropped_to_ms", "stored", "sum"];

/** By how often each happens. None is one that a shard does not promise to notice (`docs/simulation.md`). */
const FAULTS: readonly (readonly [weight: number, fault: Fault])[] = [
  [5, inRow("page", "id", (row, storage, chance) => flipOf(row, "data", storage, chance))],
  [1, inRow("page", "id", (row, storage, chance) => cut(row, "data", storage, chance))],
  [2, inRow("page", "id", (row, storage, chance) => flipOf(row, chance.pick(PAGE_COLUMNS), storage, chance))],
  [1, loseAPart],
  [2, bringOldData],
  [4, inRow("journal", "slot", (row, storage, chance) => flipOf(row, "batch", storage, chance))],
  [1, inRow("journal", "slot", (row, storage, chance) => cut(row, "batch", storage, chance))],
  [1, inRow("journal", "slot", (row, storage, chance) => flipOf(row, "batch_sum", storage, chance))],
  [
    2,
    inRow("sealed", "id", (row, storage, chance) => flipOf(row, chance.pick(["sum", "data", "data"]), storage, chance)),
  ],
  [1, inRow("sealed", "id", (row, storage, chance) => cut(row, "data", storage, chance))],
  [1, inRow("sealed", "id", remove)],
  [1, inRow("checkpoint", "one", (row, storage, chance) => flipOf(row, chance.pick(MARK_COLUMNS), storage, chance))],
  [0.5, loseTheMark],
];

const LOSES: Readonly<Record<LostRows, Fault>> = {
  gone: loseABatch,
  unreadable: inRow("journal", "slot", (row, storage, chance) =>
    flipOf(row, chance.pick(ENTRY_COLUMNS), storage, chance),
  ),
};

/** Something of what a shard keeps is not any more what was written. Says what; `undefined` when there is nothing to damage. */
export function damageRow(
  storage: ObjectStorage,
  chance: Chance,
  lostRows: LostRows,
  later: Later,
): string | undefined {
  if (!storage.rows().has("checkpoint")) return undefined;
  return chance.weighted([...FAULTS, [2, LOSES[lostRows]] as const])(storage, chance, later);
}

function inRow(
  table: string,
  key: string,
  fault: (row: Row, storage: ObjectStorage, chance: Chance) => string | undefined,
): Fault {
  return (storage, chance) => {
    const rows = storage.tamper(`SELECT ${key} AS id FROM ${table} ORDER BY id`);
    return rows.length === 0 ? undefined : fault({ table, key, id: Number(chance.pick(rows).id) }, storage, chance);
  };
}

function flipOf(row: Row, column: string, storage: ObjectStorage, chance: Chance): string | undefined {
  const value = storedIn(row, column, storage);
  const flipped = flip(value, chance);
  if (flipped === undefined) return undefined;
  set(row, column, flipped, storage);
  return `${told(row)} has another ${column}`;
}

/** Another value by one bit; `undefined` for one without bits. */
function flip(value: unknown, chance: Chance): Uint8Array | string | number | undefined {
  if (typeof value === "number") {
    const bit = 2 ** chance.below(NUMBER_BITS);
    return Math.floor(value / bit) % 2 === 1 ? value - bit : value + bit;
  }
  const bytes = value instanceof Uint8Array ? Uint8Array.from(value) : new TextEncoder().encode(String(value));
  if (bytes.length === 0) return undefined;
  const at = chance.below(bytes.length);
  // Of a text, a bit after which it still is one.
  const bit = 1 << chance.below(typeof value === "string" ? 4 : 8);
  bytes[at] = (bytes[at] ?? 0) ^ bit;
  return typeof value === "string" ? new TextDecoder().decode(bytes) : bytes;
}

function cut(row: Row, column: string, storage: ObjectStorage, chance: Chance): string | undefined {
  const value = storedIn(row, column, storage);
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined;
  set(row, column, value.slice(0, chance.below(value.length)), storage);
  return `${told(row)} has its ${column} cut off`;
}

function remove(row: Row, storage: ObjectStorage): string {
  storage.tamper(`DELETE FROM ${row.table} WHERE ${row.key} = ?`, row.id);
  return `${told(row)} is gone`;
}

/** One of several pages of a window: of the last one nobody would know. */
function loseAPart(storage: ObjectStorage, chance: Chance): string | undefined {
  const rows = storage.tamper(
    "SELECT id FROM page WHERE id / 1024 IN (SELECT id / 1024 FROM page GROUP BY id / 1024 HAVING count(*) > 1) ORDER BY id",
  );
  return rows.length === 0
    ? undefined
    : remove({ table: "page", key: "id", id: Number(chance.pick(rows).id) }, storage);
}

/** Some time later a page has the bytes again that it has now, beside what is told of the new ones. */
function bringOldData(storage: ObjectStorage, chance: Chance, later: Later): string | undefined {
  const rows = storage.tamper("SELECT id, revision, data FROM page ORDER BY id");
  if (rows.length === 0) return undefined;
  const { id, revision, data } = chance.pick(rows);
  if (!(data instanceof Uint8Array)) return undefined;
  const row = { table: "page", key: "id", id: Number(id) };
  later(`${told(row)} has the data it had before`, () => {
    const isNew = storedIn(row, "revision", storage) !== revision && storedIn(row, "data", storage) !== undefined;
    if (isNew) set(row, "data", data, storage);
    return isNew;
  });
  return undefined;
}

/** A row of the journal that another one follows: of the last one nobody would know. */
function loseABatch(storage: ObjectStorage, chance: Chance): string | undefined {
  const rows = storage.tamper("SELECT slot AS id FROM journal WHERE seq + 1 IN (SELECT seq FROM journal) ORDER BY seq");
  return rows.length === 0
    ? undefined
    : remove({ table: "journal", key: "slot", id: Number(chance.pick(rows).id) }, storage);
}

/** While there are pages, which say that there was one. */
function loseTheMark(storage: ObjectStorage): string | undefined {
  if (storage.tamper("SELECT one FROM checkpoint WHERE EXISTS (SELECT * FROM page)").length === 0) return undefined;
  return remove({ table: "checkpoint", key: "one", id: 1 }, storage);
}

function storedIn({ table, key, id }: Row, column: string, storage: ObjectStorage): unknown {
  return storage.tamper(`SELECT ${column} AS value FROM ${table} WHERE ${key} = ?`, id)[0]?.value;
}

function set(
  { table, key, id }: Row,
  column: string,
  value: Uint8Array | string | number,
  storage: ObjectStorage,
): void {
  storage.tamper(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`, value, id);
}

function told({ table, key, id }: Row): string {
  return `${table} ${key} ${id}`;
}
