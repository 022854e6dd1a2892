import { type CsvColumn, csvFileName } from "../../csv.ts";
import { csvFigure, csvFigureName } from "../../figure-csv.ts";
import type { QueryAnswer } from "../data/answers.ts";
import { csvFile, type SavedFile } from "../data/csv-file.ts";
import type { Exploration } from "./exploration.ts";

type Row = QueryAnswer["rows"][number];

/** Rows of an answer, in the columns that the API's own CSV of a query has (query-csv.ts). */
export function resultFile(
  merchantId: string,
  { from, to }: Pick<QueryAnswer, "from" | "to">,
  { metrics, clock, breakdown }: Pick<Exploration, "metrics" | "clock" | "breakdown">,
  rows: readonly Row[],
): SavedFile {
  const keys = [
    "currency" as const,
    ...(clock.includes("time") ? (["start", "end", "label", "status", "revision"] as const) : []),
    ...(["weekday", "hour"] as const).filter((name) => clock.includes(name)),
    ...(breakdown === undefined ? [] : (["part", breakdown] as const)),
  ];
  const columns: CsvColumn<Row>[] = [
    ...keys.map((name) => ({ name, value: (row: Row) => row[name] })),
    ...metrics.map((figure) => ({
      name: csvFigureName(figure),
      value: (row: Row) => csvFigure(row[figure] ?? null, figure, row.currency),
    })),
  ];
  return csvFile(csvFileName("query", merchantId, from, to), columns, rows);
}
