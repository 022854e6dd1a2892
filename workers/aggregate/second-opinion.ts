import { DIMENSIONS } from "../../shared/breakdown.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { type ReplayClient, rowsOf } from "./replay-client.ts";

/** Something that plain SQL over the archive and the sums of the windows say differently, in a currency. */
export interface Doubt {
  readonly currency: string;
  /** A column of a report, or a dimension and its value: `payment_method=card`. */
  readonly what: string;
  /** Decimal, or count and amount of payments with a space between. */
  readonly archived: string;
  readonly stored: string;
}

/** Of one pass. */
export const DOUBTS_MAX = 100;

/**
 * Merchants with an event in several windows: which of its copies count is a rule of its own, and what plain SQL cannot say. The loading's lines are
 * those of neighbouring hours, too.
 */
const MOVED_MERCHANTS = `
SELECT merchant_id FROM archived_events WHERE replay = {replay:UInt64}
GROUP BY merchant_id, event_id HAVING uniqExact(intDiv(occurred_at, ${WINDOW_MS})) > 1`;

const SUMS = [
  ...["payments_count", "payments_amount", "refunds_count", "refunds_amount"],
  ...["points_used", "points_earned", "amount_min", "amount_max"],
] as const;

/** Each event once, as it was first received, added up by currency: nothing of how windows are counted is in it. Parameters: `replay`, `hours`. */
const ARCHIVED_SQL = `
SELECT toString(currency) AS of_currency,
  countIf(type = 'payment') AS payments_count, sumIf(toUInt256(amount), type = 'payment') AS payments_amount,
  countIf(type = 'refund') AS refunds_count, sumIf(toUInt256(amount), type = 'refund') AS refunds_amount,
  sum(toUInt256(points_used)) AS points_used, sum(toUInt256(points_earned)) AS points_earned,
  minIf(amount, type = 'payment') AS amount_min, maxIf(amount, type = 'payment') AS amount_max,
  ${DIMENSIONS.map(
    (d) =>
      `sumMapIf(map(toString(${d}), (toUInt64(1))), type = 'payment' AND ${d} != '') AS counts_${d},
  sumMapIf(map(toString(${d}), toUInt256(amount)), type = 'payment' AND ${d} != '') AS amounts_${d}`,
  ).join(",\n  ")}
FROM (
  SELECT * FROM archived_events WHERE replay = {replay:UInt64} AND hour IN ({hours:Array(DateTime('UTC'))})
    AND merchant_id NOT IN (${MOVED_MERCHANTS})
  ORDER BY received_at, batch, n, line LIMIT 1 BY merchant_id, event_id)
GROUP BY of_currency`;

/** The windows of the same merchants and hours, added up. Parameters: those, and `from`, `to`, `only`, `slices`, `slice` as of a pass. */
const STORED_SQL = `
SELECT toString(currency) AS of_currency,
  sum(w.payments_count) AS payments_count, sum(toUInt256(w.payments_amount)) AS payments_amount,
  sum(w.refunds_count) AS refunds_count, sum(toUInt256(w.refunds_amount)) AS refunds_amount,
  sum(toUInt256(w.points_used)) AS points_used, sum(toUInt256(w.points_earned)) AS points_earned,
  minIf(w.amount_min, w.payments_count > 0) AS amount_min, max(w.amount_max) AS amount_max,
  ${DIMENSIONS.map(
    (d) => `sumMap(mapFromArrays(by_${d}_value, by_${d}_count)) AS counts_${d},
  sumMap(mapFromArrays(by_${d}_value, arrayMap(amount -> toUInt256(amount), by_${d}_amount))) AS amounts_${d}`,
  ).join(",\n  ")}
FROM windows AS w FINAL
WHERE window_start >= fromUnixTimestamp({from:UInt32}) AND window_start < fromUnixTimestamp({to:UInt32})
  AND (empty({only:Array(String)}) OR has({only:Array(String)}, merchant_id))
  AND ({slices:UInt32} < 2 OR cityHash64(merchant_id) % {slices:UInt32} = {slice:UInt32})
  AND merchant_id NOT IN (${MOVED_MERCHANTS})
GROUP BY of_currency`;

type Numeric = string | number;
type Row = { readonly of_currency: string } & Readonly<Record<(typeof SUMS)[number], Numeric>> &
  Readonly<Record<string, Numeric | Readonly<Record<string, Numeric>>>>;

/**
 * Adds the archive's events of a pass up by plain SQL, and its windows, and names what is not the same. For a pass of which everything
 * could be read and has been put right; its lines are still loaded.
 */
export async function secondOpinion(
  client: ReplayClient,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Doubt[]> {
  const archived = await rowsOf<Row>(client, ARCHIVED_SQL, parameters);
  const stored = await rowsOf<Row>(client, STORED_SQL, parameters);
  const currencies = new Set([...archived, ...stored].map(({ of_currency }) => of_currency));
  const rowOf = (rows: readonly Row[], currency: string) => rows.find(({ of_currency }) => of_currency === currency);
  const doubts = [...currencies].flatMap((currency) =>
    compared(currency, textsOf(rowOf(archived, currency)), textsOf(rowOf(stored, currency))),
  );
  return doubts.slice(0, DOUBTS_MAX);
}

function compared(currency: string, archived: Texts, stored: Texts): Doubt[] {
  // Windows name 128 values of a dimension, and have the rest in one sum: then it is the whole that can be compared.
  const crowded = new Set(DIMENSIONS.filter((d) => stored.has(`${d}=`)));
  const names = new Set([...archived.keys(), ...stored.keys()]);
  return [...names].flatMap((what) => {
    const [dimension = "", value] = what.split(/=(.*)/s);
    if (value !== undefined && crowded.has(dimension as (typeof DIMENSIONS)[number])) return [];
    const [one, other] = [archived.get(what) ?? "0", stored.get(what) ?? "0"];
    return one === other ? [] : [{ currency, what, archived: one, stored: other }];
  });
}

/** What a row says, by name; a dimension stands as a whole and by value. */
type Texts = ReadonlyMap<string, string>;

function textsOf(row: Row | undefined): Texts {
  const texts = new Map<string, string>();
  if (row === undefined) return texts;
  for (const name of SUMS) texts.set(name, String(row[name]));
  for (const dimension of DIMENSIONS) {
    const counts = Object.entries(row[`counts_${dimension}`] as Readonly<Record<string, Numeric>>);
    const amounts = row[`amounts_${dimension}`] as Readonly<Record<string, Numeric>>;
    let [count, amount] = [0n, 0n];
    for (const [value, payments] of counts) {
      texts.set(`${dimension}=${value}`, `${payments} ${amounts[value]}`);
      count += BigInt(payments);
      amount += BigInt(amounts[value] ?? 0);
    }
    if (count > 0n) texts.set(dimension, `${count} ${amount}`);
  }
  return texts;
}
