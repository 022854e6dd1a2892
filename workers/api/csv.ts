import { minorUnitDigits } from "../../shared/iso-codes.ts";

/**
 * CSV as RFC 4180 has it: UTF-8, a header, CRLF, quotes where a field needs them. Written row by row as the client takes it, so that a year of
 * payments needs no more memory than a chunk.
 */

/** A number of text, written as it is: money and ratios, whose digits a `number` would not keep. */
export interface CsvNumber {
  readonly number: string;
}

/** `null` and `undefined` are an empty field. A text that a spreadsheet would take for a formula is made a text by a leading apostrophe. */
export type CsvCell = string | number | bigint | CsvNumber | null | undefined;

export interface CsvColumn<Row> {
  readonly name: string;
  readonly value: (row: Row) => CsvCell;
}

/** Rows are gathered until a chunk has so many characters. */
const CHUNK_CHARACTERS_MIN = 16_384;
const BYTE_ORDER_MARK = "\uFEFF";

/** Rows, or pages of them that come one after the other. */
export type CsvRows<Row> = Iterable<Row> | AsyncIterable<readonly Row[]>;

/**
 * The bytes of a table; rows are asked for as the reader takes them, and no longer when it has gone away. What a page has is not kept back until the next one is
 * there. An error of theirs breaks the stream off.
 */
export function csvStream<Row>(
  columns: readonly CsvColumn<Row>[],
  rows: CsvRows<Row>,
  { byteOrderMark = false, onLeave }: Pick<CsvOptions, "byteOrderMark" | "onLeave"> = {},
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const pages = Symbol.asyncIterator in rows ? rows : [rows];
  const chunks = chunksOf(columns, pages, byteOrderMark ? BYTE_ORDER_MARK : "");
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      onLeave?.();
      await chunks.return(undefined);
    },
  });
}

async function* chunksOf<Row>(
  columns: readonly CsvColumn<Row>[],
  pages: Iterable<Iterable<Row>> | AsyncIterable<Iterable<Row>>,
  start: string,
): AsyncGenerator<string, undefined> {
  let text = start + csvLine(columns.map(({ name }) => name));
  for await (const page of pages) {
    for (const row of page) {
      text += csvLine(columns.map((column) => column.value(row)));
      if (text.length < CHUNK_CHARACTERS_MIN) continue;
      yield text;
      text = "";
    }
    if (text !== "") yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** A table whose rows are there: as a stream, or whole where it is short. */
export interface CsvTable {
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined` when it has more characters than these. */
  readonly text: (charactersMax: number) => string | undefined;
  readonly stream: () => ReadableStream<Uint8Array>;
}

/** `rows` may be asked for several times. */
export function csvTable<Row>(
  fileName: string,
  columns: readonly CsvColumn<Row>[],
  rows: () => Iterable<Row>,
  options: CsvOptions = {},
): CsvTable {
  return {
    headers: fileHeaders(fileName, options),
    text: (charactersMax) => {
      let text = (options.byteOrderMark === true ? BYTE_ORDER_MARK : "") + csvLine(columns.map(({ name }) => name));
      for (const row of rows()) {
        text += csvLine(columns.map((column) => column.value(row)));
        if (text.length > charactersMax) return undefined;
      }
      return text;
    },
    stream: () => csvStream(columns, rows(), options),
  };
}

/** Codes of what a reader of the table must know, as JSON has them in `notices` (notices.ts), and `truncated` when rows are left out; not sent when there are none. */
export const NOTICES_HEADER = "Tally-Notices";

export interface CsvOptions {
  readonly byteOrderMark?: boolean;
  readonly notices?: readonly string[];
  /** Called when the reader has gone away: at once, while a page of rows is still waited for. */
  readonly onLeave?: () => void;
}

/** An answer that a browser saves as `tally-<what>-<merchant>-<from>-<to>.csv`, its dates local; nothing of it may be kept by others. */
export function csvResponse<Row>(
  fileName: string,
  columns: readonly CsvColumn<Row>[],
  rows: CsvRows<Row>,
  options: CsvOptions = {},
): Response {
  return streamResponse({ headers: fileHeaders(fileName, options), stream: () => csvStream(columns, rows, options) });
}

/** The same of a table that is too long to be kept. */
export function streamResponse({ headers, stream }: Pick<CsvTable, "headers" | "stream">): Response {
  const all = {
    ...headers,
    "Content-Type": CSV_CONTENT_TYPE,
    "Cache-Control": "private, no-store",
    Vary: "Accept, Accept-Encoding",
  };
  return new Response(stream(), { headers: all });
}

export const CSV_CONTENT_TYPE = "text/csv; charset=utf-8; header=present";

function fileHeaders(fileName: string, { notices = [] }: CsvOptions): Record<string, string> {
  return {
    // Merchants' ids and dates have no character that would need quoting.
    "Content-Disposition": `attachment; filename="${fileName}"`,
    ...(notices.length > 0 && { [NOTICES_HEADER]: notices.join(", ") }),
  };
}

/** `what` is the question's name, the moments are RFC 3339 in the caller's zone; a span of one day has one date. */
export function csvFileName(what: string, merchantId: string, from: string, to: string): string {
  const dates = [...new Set([from.slice(0, 10), to.slice(0, 10)])];
  return `tally-${what}-${merchantId}-${dates.join("-")}.csv`;
}

/** An amount of minor units as a decimal of the currency: 1234 is 12.34 of USD, 1234 of JPY, 1.234 of KWD. */
export function csvMoney(minorUnits: bigint | number, currency: string): CsvNumber {
  const digits = minorUnitDigits(currency);
  const text = String(minorUnits);
  if (digits === 0) return { number: text };
  const sign = text.startsWith("-") ? "-" : "";
  const padded = text.slice(sign.length).padStart(digits + 1, "0");
  return { number: `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}` };
}

function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvField).join(",")}\r\n`;
}

function csvField(cell: CsvCell): string {
  switch (typeof cell) {
    case "string":
      return quoted(withoutFormula(cell));
    case "object":
      return cell === null ? "" : cell.number;
    case "undefined":
      return "";
    default:
      return String(cell);
  }
}

/** What spreadsheets begin a formula by, full-width forms and leading blanks of any kind included (OWASP, "CSV Injection"). */
const FORMULA = /^[\s\p{Cc}]*[=+\-@＝＋－＠]|^[\t\r\n]/u;

function withoutFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",;\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
