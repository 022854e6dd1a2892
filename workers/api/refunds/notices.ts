import type { Cell } from "../../../shared/breakdown.ts";
import { HOUR_MS } from "../../../shared/window.ts";
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
      message: `${refunds.salesUnread} of ${refunds.salesCounted} payments of the span are counted, and a refund of theirs may count as one of other sales: ${whyUnread(refunds, zone)}`,
    });
  }
  return notices;
}

/** They are read in the order of time: what is left for want of time is of the end. What is too large is left wherever it is, and is not read later either. */
function whyUnread({ stoppedMs, tooLargeMs }: MetricsRefunds, zone: string): string {
  const why: string[] = [];
  const [firstMs] = tooLargeMs;
  if (firstMs !== undefined) {
    const others = tooLargeMs.length > 1 ? `, and in ${tooLargeMs.length - 1} of the hours after it` : "";
    why.push(
      `from ${presentTime(firstMs, zone)} to ${presentTime(firstMs + HOUR_MS, zone)}${others} the archive has more than can be read one by one, and waiting does not change that: begin a span an hour after ${others === "" ? "it" : "them"}.`,
    );
  }
  if (stoppedMs !== undefined) {
    why.push(
      `there was no time to read all of ${presentTime(stoppedMs, zone)} and later one by one. Hours are read fast once they are sorted by merchant, some 31 hours after their end; until then, begin a span later.`,
    );
  }
  return why.length === 0 ? "they cannot be read one by one yet." : why.join(" Besides, ");
}
