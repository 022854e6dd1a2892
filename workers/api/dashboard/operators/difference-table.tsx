import type { ReplayAnswer } from "../data/answers.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { count, dateAndTime, money } from "../text/format.ts";
import { operatorsText as o } from "./operators-text.ts";

export type Difference = ReplayAnswer["differences"][number] & { readonly done?: string };
type Side = Difference["archived"];

/** Windows as the archive has them beside history. */
export function DifferenceTable({ differences }: { readonly differences: readonly Difference[] }) {
  const hasDone = differences.some(({ done }) => done !== undefined);
  const columns = [
    { title: o("window") },
    { title: o("merchant") },
    { title: o("verdict") },
    { title: o("archived"), isNumber: true },
    { title: o("stored"), isNumber: true },
    ...(hasDone ? [{ title: o("done") }] : []),
  ];
  return (
    <div class="tall">
      <ScrollTable caption={o("differences")} columns={columns}>
        {differences.map((one) => (
          <tr key={`${one.window} ${one.merchant} ${one.currency}`}>
            <th scope="row">{dateAndTime(one.window)}</th>
            <td>{one.merchant}</td>
            <td>
              <span class="state bad">{verdictText(one.verdict)}</span>
            </td>
            <td class="number">{sideText(one.archived, one.currency)}</td>
            <td class="number">{sideText(one.stored, one.currency)}</td>
            {hasDone && (
              <td class="wrap" lang="en">
                {one.done}
              </td>
            )}
          </tr>
        ))}
      </ScrollTable>
    </div>
  );
}

/** An amount may be beyond what a number holds exactly; to be looked at, it is near enough. */
const sideText = ({ events, payments_amount }: Side, currency: string) =>
  o("side", { events: count(events), amount: money(Number(payments_amount), currency) });

export const VERDICTS = ["equal", "changed", "missing", "short", "unarchived"] as const;

export function verdictText(verdict: string): string {
  const known = VERDICTS.find((name) => name === verdict);
  return known === undefined ? verdict : o(known);
}
