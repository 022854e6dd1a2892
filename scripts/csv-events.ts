import type { EventMerchant, EventUser, PaymentEvent } from "../shared/event.ts";
import { csvRows, decoded } from "./csv-rows.ts";

type Column =
  | keyof Omit<PaymentEvent, "user" | "merchant" | "attributes">
  | `user.${keyof EventUser | "date_of_birth"}`
  | `merchant.${keyof EventMerchant}`;
/** Beside them there may be any `attributes.…`. */
const COLUMNS: Readonly<Record<Column, "required" | "optional">> = {
  event_id: "required",
  type: "required",
  merchant_id: "required",
  occurred_at: "required",
  amount: "required",
  currency: "required",
  payment_method: "required",
  points_used: "optional",
  points_earned: "optional",
  refund_of: "optional",
  "user.id": "optional",
  "user.grade": "optional",
  "user.gender": "optional",
  "user.country": "optional",
  "user.device": "optional",
  "user.age_band": "optional",
  "user.date_of_birth": "optional",
  "merchant.grade": "optional",
  "merchant.location": "optional",
  "merchant.business_type": "optional",
};
const REQUIRED = Object.entries(COLUMNS).flatMap(([column, need]) => (need === "required" ? [column] : []));
/** Sent as numbers where they are digits alone; whatever else stands there the server judges, a time in RFC 3339 among it. */
const INTEGERS = new Set(["occurred_at", "amount", "points_used", "points_earned"]);
/** As much of the first line as tells what a file is. */
const HEAD_BYTES_MAX = 64 * 1024;

/**
 * The bytes of a file as NDJSON: those of a CSV become an event a row, on the line of the file on which the row begins, so that line
 * numbers are the file's; all others stay as they are. Throws, in words for its owner, when the file is a JSON array, when a CSV has no
 * column for a field that an event must have, or a row has more fields than there are columns. `onUnknown` is told of a CSV's columns that an
 * event does not have, before the first row.
 */
export async function* eventLines(
  chunks: AsyncIterable<Buffer>,
  onUnknown: (columns: readonly string[]) => void = () => {},
): AsyncGenerator<Buffer> {
  const rest = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD_BYTES_MAX && firstLine(head) === undefined) {
    const next = await rest.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const line = firstLine(head) ?? head.toString("utf8").trim();
  if (line.startsWith("[")) {
    throw new Error("this is a JSON array, and one event a line is expected: jq -c '.[]' FILE makes that of it");
  }
  const whole = withHead(head, rest);
  yield* !line.startsWith("{") && /[,;\t]/.test(line) ? csvEvents(whole, onUnknown) : whole;
}

/** The first line that is not blank, once it is there whole. */
function firstLine(head: Buffer): string | undefined {
  return /^\s*(\S[^\n]*)\n/.exec(head.toString("utf8"))?.[1];
}

async function* withHead(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* csvEvents(
  chunks: AsyncIterable<Buffer>,
  onUnknown: (columns: readonly string[]) => void,
): AsyncGenerator<Buffer> {
  let columns: readonly string[] | undefined;
  let written = 0;
  for await (const { fields, line } of csvRows(decoded(chunks))) {
    if (columns === undefined) {
      columns = columnsOf(fields);
      const unknown = columns.filter((column) => !(Object.hasOwn(COLUMNS, column) || /^(attributes\.|$)/.test(column)));
      if (unknown.length > 0) onUnknown(unknown);
      continue;
    }
    if (fields.length > columns.length) {
      throw new Error(
        `line ${line} has ${fields.length} fields, and the header ${columns.length}: is a comma not quoted?`,
      );
    }
    yield Buffer.from(`${"\n".repeat(line - 1 - written)}${JSON.stringify(eventOf(columns, fields))}\n`);
    written = line;
  }
}

function columnsOf(header: readonly string[]): readonly string[] {
  const columns = header.map((column) => column.trim());
  const missing = REQUIRED.filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new Error(
      `this is no NDJSON, and as CSV, with commas and a header, it has no column ${missing.join(", ")}: columns are named as an event's fields, such as user.id`,
    );
  }
  const twice = columns.find((column, index) => column !== "" && columns.indexOf(column) !== index);
  if (twice !== undefined) throw new Error(`the column ${twice} is there twice`);
  return columns;
}

/** An empty field is absent; `user.id` is the member of an object; columns that an event does not have are left to the server to drop. */
function eventOf(columns: readonly string[], fields: readonly string[]): Readonly<Record<string, unknown>> {
  const members = columns.flatMap((column, index) => {
    const field = fields[index] ?? "";
    return field === "" || column === "" ? [] : [[column, INTEGERS.has(column) ? integerOf(field) : field] as const];
  });
  const isPart = ([column]: readonly [string, unknown]) => /^(user|merchant|attributes)\./.test(column);
  const parts = Object.entries(
    Object.groupBy(members.filter(isPart), ([column]) => column.slice(0, column.indexOf("."))),
  );
  return Object.fromEntries([
    ...members.filter((member) => !isPart(member)),
    ...parts.map(([name, own]) => [
      name,
      Object.fromEntries((own ?? []).map(([column, value]) => [column.slice(name.length + 1), value])),
    ]),
  ]);
}

function integerOf(field: string): number | string {
  const number = /^-?\d{1,16}$/.test(field) ? Number(field) : Number.NaN;
  return Number.isSafeInteger(number) ? number : field;
}
