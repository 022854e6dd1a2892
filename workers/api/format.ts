import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { err, ok, type Result } from "../../shared/result.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";

/** The parameters of every question that is answered as CSV, too. */
export const FORMAT_PARAMETERS = ["format", "bom"] as const;

export interface AnswerFormat {
  readonly csv: boolean;
  /** Before CSV, for spreadsheets that take it for Latin-1 otherwise. */
  readonly byteOrderMark: boolean;
}

const JSON_TYPE = "application/json";
const CSV_TYPE = "text/csv";

/** `format=csv`, for links, goes before `Accept: text/csv`; whoever takes neither gets JSON. */
export function parseFormat(c: Context, query: Readonly<Record<string, string>>): Result<AnswerFormat, Problem> {
  const { format, bom } = query;
  if (format !== undefined && format !== "json" && format !== "csv")
    return err(invalidParameter("format", "invalid_format", "One of json, csv."));
  if (bom !== undefined && bom !== "true" && bom !== "false")
    return err(invalidParameter("bom", "invalid_bom", "true or false; it is for CSV."));
  const accepted = accepts(c, { header: "Accept", supports: [JSON_TYPE, CSV_TYPE], default: JSON_TYPE });
  return ok({ csv: (format ?? (accepted === CSV_TYPE ? "csv" : "json")) === "csv", byteOrderMark: bom === "true" });
}
