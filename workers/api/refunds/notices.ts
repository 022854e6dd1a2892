import type { Cell } from "../../../shared/breakdown.ts";
import type { Notice } from "../notices.ts";
import { presentTime } from "../present.ts";
import type { LeftOut, MetricsRefunds } from "./metrics-refunds.ts";

/** What is to be known of refunds that are dated by their sales; moments are told in the zone. */
export function noticesOfRefunds(refunds: MetricsRefunds | undefined, zone: string): Notice[] {
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
      message: `${unread} of ${refunds.counted} refunds made since the span began are counted, and not in these numbers: ${whyUnread(refunds, zone)}`,
    });
  }
  if (refunds.salesUnread > 0) {
    notices.push({
      code: "sales_unread",
      message: `${refunds.salesUnread} of ${refunds.salesCounted} payments of the span are counted, and a refund of theirs counts as one of other sales: ${whyUnread(refunds, zone)}`,
    });
  }
  return notices;
}

/** They are read in the order of time: what is left is of the end. */
function whyUnread({ stoppedMs }: MetricsRefunds, zone: string): string {
  if (stoppedMs === undefined) return "they cannot be read one by one yet.";
  return `there was no time to read all of ${presentTime(stoppedMs, zone)} and later one by one. Hours are read fast once they are sorted by merchant, some 31 hours after their end; until then, begin a span later.`;
}
