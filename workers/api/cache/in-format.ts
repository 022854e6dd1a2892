import { err, ok, type Result } from "../../../shared/result.ts";
import { CSV_CONTENT_TYPE, type CsvTable, streamResponse } from "../csv.ts";
import type { AnswerFormat } from "../format.ts";
import type { Completeness } from "../read-range.ts";
import type { Answer, LongTable } from "./question.ts";

/** A longer table is made as its reader takes it, and not kept: an isolate keeps no larger answer either. */
export const TABLE_CHARACTERS_MAX = 2 ** 20;

/** A format as it stands in a question, whatever the words for it were. */
export function inWords({ csv, byteOrderMark }: AnswerFormat): Readonly<Record<"format" | "bom", string>> {
  return csv ? { format: "csv", bom: String(byteOrderMark) } : { format: "json", bom: "false" };
}

export function asJson(
  body: object,
  { asOfMs, isPartial }: Pick<Completeness, "asOfMs" | "isPartial">,
): Result<Answer, never> {
  return ok({ text: JSON.stringify(body), contentType: "application/json", asOfMs, isPartial });
}

export function asTable(table: CsvTable, { asOfMs, isPartial }: Completeness): Result<Answer, LongTable> {
  const text = table.text(TABLE_CHARACTERS_MAX);
  if (text === undefined) return err({ stream: () => streamResponse(table) });
  return ok({ text, contentType: CSV_CONTENT_TYPE, headers: table.headers, asOfMs, isPartial });
}
