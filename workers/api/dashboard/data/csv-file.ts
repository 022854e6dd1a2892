import { type CsvColumn, csvTable } from "../../csv.ts";

export interface SavedFile {
  readonly name: string;
  readonly content: Blob;
}

/** A table as the API writes it, with the mark by which spreadsheets know UTF-8. */
export function csvFile<Row>(name: string, columns: readonly CsvColumn<Row>[], rows: readonly Row[]): SavedFile {
  const text = csvTable(name, columns, () => rows, { byteOrderMark: true }).text(Number.POSITIVE_INFINITY) ?? "";
  return { name, content: new Blob([text], { type: "text/csv" }) };
}
