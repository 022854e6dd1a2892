import { EMPTY_CELL } from "../../../shared/breakdown.ts";
import { presentCell, presentSpan, presentTime } from "../present.ts";
import { NONE_UNDATED } from "./date-refunds.ts";
import type { MetricsRefunds } from "./metrics-refunds.ts";

export function presentRefunds({ made, archivedThroughMs, salesUnread }: MetricsRefunds, zone: string) {
  return {
    by: "sale",
    made: presentSpan(made, zone),
    archived_through: presentTime(archivedThroughMs, zone),
    sales_unread: salesUnread,
  };
}

export function presentUndated({ leftOut }: MetricsRefunds, currency: string) {
  const { ofOtherSales, withoutSale, unread } = leftOut.get(currency) ?? { ...NONE_UNDATED, unread: EMPTY_CELL };
  return {
    of_other_sales: presentCell(ofOtherSales),
    without_sale: presentCell(withoutSale),
    unread: presentCell(unread),
  };
}
