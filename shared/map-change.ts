import type { EventFault } from "./accept-event.ts";
import type { Change, Ignored } from "./change-event.ts";
import { appliesTo, mapRow } from "./map-row.ts";
import { err, type Result } from "./result.ts";
import type { SourceMapping } from "./source-mapping.ts";

/** What a mapping makes of a change: nothing, for a reason, or a payment by each of its table's rules that is for such a row. */
export type MappedChange =
  | { readonly ignored: Ignored }
  | { readonly payments: readonly Result<Readonly<Record<string, unknown>>, EventFault>[] };

/** The payments are as a source would send them, for `acceptEvent` to judge. */
export function mapChange(change: Change, mapping: SourceMapping): MappedChange {
  if ("ignored" in change) return change;
  const { tables, row } = change;
  const table = tables.find((name) => Object.hasOwn(mapping.tables, name));
  const rules = table === undefined ? undefined : mapping.tables[table];
  if (rules === undefined) return { ignored: unmappedTable };
  if (row === undefined) return { payments: [err(rowIncomplete)] };
  const payments = [rules]
    .flat()
    .filter((rule) => appliesTo(rule, row))
    .map((rule) => mapRow(rule, row));
  return payments.length === 0 ? { ignored: notAPayment } : { payments };
}

const rowIncomplete: EventFault = {
  code: "missing_field",
  path: "after",
  message: "the change does not say how the whole row is; for MongoDB set capture.mode=change_streams_update_full",
};
const unmappedTable: Ignored = { code: "unmapped_table", message: "the mapping names no such table or collection" };
const notAPayment: Ignored = { code: "not_a_payment", message: "no rule of the mapping is for such a row" };
