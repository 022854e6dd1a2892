import type { ClickHouseClient } from "@clickhouse/client";
import { DIMENSIONS, type Dimension } from "../shared/breakdown.ts";

export interface HistoryData {
  readonly merchants: number;
  /** Every window of `[fromMs, toMs)` is filled, for every merchant. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** The id of the `at`-th merchant, from 0. */
export const merchantOf = (at: number) => `merchant-${at}`;

/** Of `h`, a hash of the payment, and `u`, one of its customer: a payment's value of each dimension, some far more frequent than others. */
const VALUE_OF: Readonly<Record<Dimension, string>> = {
  payment_method: "['card', 'qr', 'wallet', 'transfer', 'cash', 'points'][1 + least(bitAnd(h, 7), 5)]",
  gender: "['female', 'male'][1 + bitAnd(u, 1)]",
  age_band: "['10-19', '20-29', '30-39', '40-49', '50-59', '60-69', '70+'][1 + u % 7]",
  grade: "['bronze', 'gold', 'platinum', 'silver'][1 + least(bitAnd(bitShiftRight(u, 3), 7), 3)]",
  country: "['JP', 'JP', 'JP', 'JP', 'JP', 'JP', 'KR', 'TW', 'US', 'CN', 'TH', 'FR'][1 + bitShiftRight(u, 6) % 12]",
  device: "['android', 'ios', 'web'][1 + bitShiftRight(u, 10) % 3]",
  location: "concat('district-', toString(shop))",
};

const CUSTOMERS_A_MERCHANT = 5_000;
const PAYMENTS_A_WINDOW_MAX = 5;
/** One to five payments a window: three on average. */
const SQL = `
INSERT INTO windows (
  merchant_id, currency, window_start, revision, payments_count, payments_amount, amount_min, amount_max, points_used, points_earned,
  amount_bucket, amount_bucket_count, customers,
  ${DIMENSIONS.map((d) => `by_${d}_value, by_${d}_count, by_${d}_amount`).join(", ")}
)
SELECT
  concat('merchant-', toString(shop)), 'JPY', toDateTime(start, 'UTC'), (start + 720) * 1000 + 17,
  count(), sum(amount), min(amount), max(amount), sum(if(h % 9 = 0, intDiv(amount, 10), 0)), sum(intDiv(amount, 100)),
  (sumMap([bucket], [toUInt64(1)]) AS buckets).1, buckets.2, arraySort(groupUniqArray(customer)),
  ${DIMENSIONS.map((d) => `(sumMap([${VALUE_OF[d]}], [toUInt64(1)], [toUInt128(amount)]) AS by_${d}).1, by_${d}.2, by_${d}.3`).join(",\n  ")}
FROM (
  SELECT
    shop,
    start,
    sipHash64(shop, start, payment) AS h,
    sipHash64(shop, 'customer', bitShiftRight(h, 20) % ${CUSTOMERS_A_MERCHANT}) AS u,
    bitAnd(bitShiftRight(h, 8), 255) + bitAnd(bitShiftRight(h, 16), 255) + bitAnd(bitShiftRight(h, 24), 255) AS spread,
    50 * (1 + toUInt64(exp(2 + spread / 170))) AS amount,
    toUInt8(floor(log2(amount))) - 6 AS shift,
    toUInt16(if(amount < 64, amount, shift * 64 + bitShiftRight(amount, shift))) AS bucket,
    32 - toUInt8(floor(log2(bitOr(bitShiftRight(u, 32), 1)))) AS rank,
    toUInt16(bitAnd(u, 2047) * 32 + least(31, rank)) AS customer
  FROM (
    SELECT
      arrayJoin(range({merchants:UInt32})) AS shop,
      toUInt32({from:UInt32} + 600 * number) AS start,
      arrayJoin(range(1 + sipHash64(shop, start) % ${PAYMENTS_A_WINDOW_MAX})) AS payment
    FROM numbers(intDiv({to:UInt32} - {from:UInt32}, 600))
  )
)
GROUP BY shop, start
-- In small blocks, so that all cores have some.
SETTINGS max_block_size = 256`;

/** Makes up windows inside ClickHouse, the same in every run, month by month as time would. */
export async function generateHistory(client: ClickHouseClient, data: HistoryData): Promise<void> {
  for (let fromMs = data.fromMs; fromMs < data.toMs; ) {
    const from = new Date(fromMs);
    const toMs = Math.min(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1), data.toMs);
    const query_params = { merchants: data.merchants, from: fromMs / 1000, to: toMs / 1000 };
    await client.command({ query: SQL, query_params });
    fromMs = toMs;
  }
}
