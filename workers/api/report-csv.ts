import { type CsvTable, csvFileName, csvTable } from "./csv.ts";
import { csvFigure, csvFigureName } from "./figure-csv.ts";
import { FIGURES } from "./figure-names.ts";
import { figuresOf } from "./figures.ts";
import { presentTime } from "./present.ts";
import type { ReportReading } from "./report.ts";

/** A row for each currency. */
export function reportCsv(
  { merchantId, zone, startMs, endMs, status, notices, reports }: ReportReading,
  byteOrderMark: boolean,
): CsvTable {
  const [start, end] = [presentTime(startMs, zone), presentTime(endMs, zone)];
  const rows = reports.map(({ currency, report }) => ({ currency, figures: figuresOf(report) }));
  type Row = (typeof rows)[number];
  const columns = [
    { name: "start", value: () => start },
    { name: "end", value: () => end },
    { name: "status", value: () => status },
    { name: "currency", value: ({ currency }: Row) => currency },
    ...FIGURES.map((figure) => ({
      name: csvFigureName(figure),
      value: ({ figures, currency }: Row) => csvFigure(figures[figure], figure, currency),
    })),
  ];
  return csvTable(csvFileName("report", merchantId, start, end), columns, () => rows, {
    byteOrderMark,
    notices: notices.map(({ code }) => code),
  });
}
