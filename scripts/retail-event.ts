import type { PaymentEventInput } from "./event-input.ts";

/** The columns of the UCI Online Retail CSV, with the first one that makes its rows unique. */
export const RETAIL_COLUMNS = [
  "line",
  "InvoiceNo",
  "StockCode",
  "Description",
  "Quantity",
  "InvoiceDate",
  "UnitPrice",
  "CustomerID",
  "Country",
] as const;

export type RetailRow = Readonly<Record<(typeof RETAIL_COLUMNS)[number], string>>;

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** From a row's own time to the time its event is given, both in epoch milliseconds. */
export type Move = (invoicedMs: number) => number;

/** Keeps the time of day (UTC), on the last 24 hours: today's if that is before now, else yesterday's. */
export function ontoLast24h(nowMs: number): Move {
  const todayMs = nowMs - (nowMs % DAY_MS);
  return (invoicedMs) => {
    const movedMs = todayMs + (invoicedMs % DAY_MS);
    return movedMs < nowMs ? movedMs : movedMs - DAY_MS;
  };
}

/** Keeps time of day and weekday. */
export function weeksForward(weeks: number): Move {
  return (invoicedMs) => invoicedMs + weeks * WEEK_MS;
}

/** How many whole weeks bring the last row into the week before now. */
export function weeksUntil(lastInvoicedMs: number, nowMs: number): number {
  return Math.floor((nowMs - lastInvoicedMs) / WEEK_MS);
}

/**
 * One line item as a payment event, by the rules of the data set's README: a negative total is a refund, the amount is the total
 * without its sign in thousandths of a pound, which is exact, since prices have up to three decimals. Throws on a row that is none.
 */
export function retailEvent(row: RetailRow, move: Move): PaymentEventInput {
  const total = wholeNumber(row, "Quantity") * thousandths(row, "UnitPrice");
  const amount = Number(total < 0n ? -total : total);
  if (!Number.isSafeInteger(amount)) throw new RangeError(`line ${row.line}: the total is too large`);
  return {
    event_id: row.line,
    type: total < 0n ? "refund" : "payment",
    merchant_id: row.Country.replace(/[^A-Za-z0-9._-]+/g, "-"),
    occurred_at: move(invoicedMs(row)),
    amount,
    currency: "GBP",
    payment_method: "card",
    ...(row.CustomerID === "" ? {} : { user: { id: row.CustomerID } }),
    attributes: { stock_code: row.StockCode },
  };
}

/** `InvoiceDate`, such as `2010-12-01 08:26:00`, read as UTC. */
export function invoicedMs({ line, InvoiceDate }: RetailRow): number {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/.exec(InvoiceDate);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`);
  if (Number.isNaN(ms)) throw new RangeError(`line ${line}: InvoiceDate ${InvoiceDate} is no date and time`);
  return ms;
}

function wholeNumber(row: RetailRow, column: "Quantity"): bigint {
  const text = row[column];
  if (!/^-?\d+$/.test(text)) throw new RangeError(`line ${row.line}: ${column} ${text} is no whole number`);
  return BigInt(text);
}

/** A decimal with up to three places, times a thousand: by its digits, for 1.001 * 1000 is 1000.9999999999999. */
function thousandths(row: RetailRow, column: "UnitPrice"): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(row[column]);
  if (match === null)
    throw new RangeError(`line ${row.line}: ${column} ${row[column]} is no price of up to three decimals`);
  const [, sign, whole, decimals = ""] = match;
  const magnitude = BigInt(`${whole}${decimals.padEnd(3, "0")}`);
  return sign === "-" ? -magnitude : magnitude;
}
