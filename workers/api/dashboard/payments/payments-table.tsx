import type { PaymentEvent } from "../data/answers.ts";
import { valueName } from "../figures/value-name.ts";
import { type Column, cellClass, ScrollTable } from "../table/scroll-table.tsx";
import { count, dateAndTime, money, NOTHING } from "../text/format.ts";
import { t } from "../text/text.ts";
import { paymentsText as p } from "./payments-text.ts";

export interface PaymentsTableProps {
  readonly events: readonly PaymentEvent[];
  readonly isLoading: boolean;
  readonly onChoose: (event: PaymentEvent) => void;
}

const HASH_SHOWN = 6;
const NUMBER = cellClass({ isNumber: true });
const MINOR = cellClass({ isMinor: true });

export function PaymentsTable({ events, isLoading, onChoose }: PaymentsTableProps) {
  const columns: readonly Column[] = [
    { title: p("time") },
    { title: p("type"), isMinor: true },
    { title: p("amount"), isNumber: true },
    { title: t("dimension.payment_method") },
    { title: t("dimension.location"), isMinor: true },
    { title: p("customer"), isMinor: true },
    { title: p("points_earned"), isNumber: true, isMinor: true },
  ];
  return (
    <ScrollTable caption={p("title")} columns={columns} isLoading={isLoading}>
      {events.map((event) => (
        <tr key={event.event_id} class={event.type}>
          <th scope="row">
            <button
              type="button"
              class="row-button"
              aria-label={`${dateAndTime(event.occurred_at)}: ${p("details_of", { id: event.event_id })}`}
              onClick={() => onChoose(event)}
            >
              {dateAndTime(event.occurred_at)}
            </button>
          </th>
          <td class={MINOR}>{p(event.type)}</td>
          <td class={NUMBER}>{money(signedAmount(event), event.currency)}</td>
          <td>{valueName("payment_method", event.payment_method)}</td>
          <td class={MINOR}>{event.merchant?.location ?? NOTHING}</td>
          <td class={MINOR}>
            <code>{event.user?.id_hash?.slice(0, HASH_SHOWN) ?? NOTHING}</code>
          </td>
          <td class={`${NUMBER} ${MINOR}`}>{count(event.points_earned)}</td>
        </tr>
      ))}
    </ScrollTable>
  );
}

/** What it adds to net sales. */
export const signedAmount = ({ type, amount }: PaymentEvent): number => (type === "refund" ? -amount : amount);
