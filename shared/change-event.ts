import type { CloudEvent } from "./cloud-event.ts";
import { parseExactJson } from "./exact-json.ts";

type Members = Readonly<Record<string, unknown>>;

/** Why a change makes no event. That is as it should be: nothing is wrong, and nothing has to be sent again. */
export interface Ignored {
  readonly code: "delete" | "tombstone" | "not_a_row" | "unmapped_table" | "not_a_payment";
  readonly message: string;
}

/** What Debezium says of a row: how it is now, and in which table or collection, by every name that may be meant. */
export interface RowChange {
  readonly tables: readonly string[];
  /** `undefined` when the change does not say how the whole row is. */
  readonly row: Members | undefined;
}

export type Change = { readonly ignored: Ignored } | RowChange;

/**
 * Reads a change event in Debezium's JSON format, with or without the `schema` and `payload` around it; `undefined` for whatever is no
 * message of Debezium. Deletes, tombstones, heartbeats and their like are ignored.
 */
export function readChange(raw: unknown): Change | undefined {
  if (raw === null) return { ignored: tombstone };
  if (!isObject(raw)) return undefined;
  if (isWrapped(raw)) return readChange(raw.payload);
  if (typeof raw.op === "string" && ("after" in raw || "before" in raw || isObject(raw.source))) {
    return changeOf(raw.op, raw, isObject(raw.source) ? raw.source : {});
  }
  const ignored = administrative(raw);
  return ignored === undefined ? undefined : { ignored };
}

/** Reads the CloudEvent that Debezium makes of a change: what its `source` would say are extension attributes. */
export function readCloudEventChange({ attributes, data }: CloudEvent): Change | undefined {
  const { type, iodebeziumop: op } = attributes;
  if (op == null && !(typeof type === "string" && type.startsWith("io.debezium."))) return undefined;
  if (data == null) return { ignored: tombstone };
  if (!isObject(data)) return undefined;
  const envelope = isWrapped(data) ? data.payload : data;
  if (!isObject(envelope)) return { ignored: tombstone };
  const { iodebeziumdb: db, iodebeziumschema: schema, iodebeziumtable: table } = attributes;
  const source = isObject(envelope.source) ? envelope.source : {};
  const names = { db, schema, table, collection: attributes.iodebeziumcollection };
  return changeOf(
    typeof op === "string" ? op : envelope.op,
    envelope,
    table == null && names.collection == null ? source : names,
  );
}

function changeOf(op: unknown, envelope: Members, source: Members): Change {
  const after = envelope.after ?? undefined;
  // Without `op` (extension attributes can be turned off) what there is of the row tells.
  if (op === "d" || (op === undefined && after === undefined && envelope.before != null)) return { ignored: deleted };
  if (op !== undefined && !["c", "u", "r"].includes(op as string)) return { ignored: notARow };
  return { tables: tableNames(source), row: rowOf(after) };
}

/** MongoDB's documents come as text. */
function rowOf(after: unknown): Members | undefined {
  if (typeof after !== "string") return isObject(after) ? after : undefined;
  try {
    const document = parseExactJson(after);
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** PostgreSQL, SQL Server and Oracle have schemas within a database, MySQL has databases alone, MongoDB collections. */
function tableNames({ db, schema, table, collection }: Members): string[] {
  const names: [unknown, unknown][] = [
    [schema, table],
    [db, table],
    [db, collection],
  ];
  const qualified = names.flatMap(([space, name]) =>
    typeof space === "string" && typeof name === "string" ? [`${space}.${name}`] : [],
  );
  return [...qualified, ...[table, collection].filter((name) => typeof name === "string")];
}

/** What else Debezium sends through the same sink: heartbeats, bounds of transactions, changes of a schema. */
function administrative(raw: Members): Ignored | undefined {
  const keys = Object.keys(raw);
  const isHeartbeat = keys.length > 0 && keys.every((key) => /^ts_(?:ms|us|ns)$/.test(key));
  const isTransaction = (raw.status === "BEGIN" || raw.status === "END") && typeof raw.id === "string";
  return isHeartbeat || isTransaction || "tableChanges" in raw ? notARow : undefined;
}

/** Kafka Connect's JSON converter with `schemas.enable`. */
function isWrapped(raw: Members): raw is Members & { readonly payload: unknown } {
  return "payload" in raw && "schema" in raw && Object.keys(raw).length === 2;
}

const deleted: Ignored = { code: "delete", message: "a deleted row takes nothing back; send a refund" };
const tombstone: Ignored = { code: "tombstone", message: "a tombstone says nothing of a payment" };
const notARow: Ignored = { code: "not_a_row", message: "not the insert, update or snapshot of a row" };

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
