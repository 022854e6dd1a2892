import { type CsvTable, csvFileName, csvTable } from "./csv.ts";
import { csvFigure, csvFigureName } from "./figure-csv.ts";
import { presentTime } from "./present.ts";
import { keyNames, keysOf } from "./present-query.ts";
import type { QueryReading } from "./query.ts";
import type { QueryRow } from "./query-rows.ts";

/** The same rows as a table; dimensions first, then metrics in the order in which they were asked for. */
export function queryCsv(reading: QueryReading, byteOrderMark: boolean): CsvTable {
  const { merchantId, parameters, rows, rowsFound } = reading;
  const { zone, fromMs, toMs, metrics } = parameters;
  const showKeys = keysOf(reading);
  const columns = [
    ...keyNames(parameters).map((name) => ({ name, value: (row: QueryRow) => showKeys(row)[name] })),
    ...metrics.map((figure) => ({
      name: csvFigureName(figure),
      value: ({ figures, currency }: QueryRow) => csvFigure(figures.get(figure) ?? null, figure, currency),
    })),
  ];
  const name = csvFileName("query", merchantId, presentTime(fromMs, zone), presentTime(toMs, zone));
  const notices = [...reading.notices.map(({ code }) => code), ...(rowsFound > rows.length ? ["truncated"] : [])];
  return csvTable(name, columns, () => rows, { byteOrderMark, notices });
}
