import type { Cell } from "../../../shared/breakdown.ts";
import type { Notice } from "../notices.ts";
import type { LeftOut, MetricsRefunds } from "./metrics-refunds.ts";

/** What is to be known of refunds that are dated by their sales. */
export function noticesOfRefunds(refunds: MetricsRefunds | undefined): Notice[] {
  if (refunds === undefined) return [];
  const count = (of: (one: LeftOut) => Cell) =>
    [...refunds.leftOut.values()].reduce((sum, one) => sum + of(one).count, 0);
  const ofOtherSales = count((one) => one.ofOtherSales);
  const withoutSale = count((one) => one.withoutSale);
  const unread = count((one) => one.unread);
  const notices: Notice[] = [];
  if (ofOtherSales > 0) {
    notices.push({
      code: "refunds_of_other_sales",
      message: `${ofOtherSales} refunds made since the span began are of sales outside of it, or of none that is known here: they are not in these numbers.`,
    });
  }
  if (withoutSale > 0) {
    notices.push({
      code: "refunds_without_sale",
      message: `${withoutSale} refunds made since the span began do not say of which sale they are (refund_of): they are not in these numbers, though some may be of its sales.`,
    });
  }
  if (unread > 0) {
    notices.push({
      code: "refunds_unread",
      message: `${unread} refunds made since the span began are counted, but cannot be read one by one yet: they are not in these numbers.`,
    });
  }
  if (refunds.salesUnread > 0) {
    notices.push({
      code: "sales_unread",
      message: `${refunds.salesUnread} payments of the span are counted, but cannot be read one by one yet: a refund of theirs counts as one of other sales.`,
    });
  }
  return notices;
}
