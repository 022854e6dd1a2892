import { estimateCustomers } from "../../shared/customers.ts";
import type { MerchantWindow } from "../../shared/window-row.ts";
import { type Totals, windowKey } from "./reference-model.ts";

/** What windows say, in the terms of the reference model, for tests. */
export function totalsReported(windows: Iterable<MerchantWindow>): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  for (const { merchantId, currency, startMs, report } of windows) {
    const key = windowKey(merchantId, currency, startMs);
    if (totals.has(key)) throw new Error(`${key} is reported twice`);
    totals.set(key, {
      payments: report.payments_count,
      paid: report.payments_amount,
      refunds: report.refunds_count,
      refunded: report.refunds_amount,
      smallest: report.amount_min,
      largest: report.amount_max,
      pointsUsed: report.points_used,
      pointsEarned: report.points_earned,
      customers: estimateCustomers(report.customers),
      byMethod: Object.fromEntries(
        [...report.breakdowns.payment_method.values]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([method, { count, amount }]) => [method, `${count}: ${amount}`]),
      ),
    });
  }
  return totals;
}
