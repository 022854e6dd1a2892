import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { Dimension } from "../data/answers.ts";

export const EVENT_TYPES = ["payment", "refund"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Which payments are listed, as the address of the page says it. */
export interface PaymentsFilter {
  readonly type: EventType | undefined;
  /** An empty value is of payments without one. */
  readonly values: Readonly<Partial<Record<Dimension, string>>>;
  /** Moments within the span, for those behind one number; both or neither. */
  readonly between: { readonly since: string; readonly until: string } | undefined;
}

export function filterOf(own: Readonly<Record<string, string>>): PaymentsFilter {
  const { since = "", until = "" } = own;
  return {
    type: EVENT_TYPES.find((type) => type === own.type),
    values: Object.fromEntries(
      DIMENSIONS.flatMap((dimension) => (own[dimension] === undefined ? [] : [[dimension, own[dimension]]])),
    ),
    between: Date.parse(since) < Date.parse(until) ? { since, until } : undefined,
  };
}

/** What an address says when nothing is left out of the list. */
export const NO_FILTER: Readonly<Record<string, undefined>> = Object.fromEntries(
  ["type", "since", "until", ...DIMENSIONS].map((name) => [name, undefined]),
);

export const isFiltered = ({ type, values, between }: PaymentsFilter): boolean =>
  type !== undefined || between !== undefined || Object.keys(values).length > 0;

export interface PaymentsWish {
  readonly merchantId: string;
  readonly zone: string;
  readonly from: string;
  readonly to: string;
  readonly currency: string | undefined;
  readonly filter: PaymentsFilter;
}

export const PAGE_EVENTS = 50;

export function paymentsPath(wish: PaymentsWish): string {
  return `${path(wish)}&limit=${PAGE_EVENTS}`;
}

/** All pages in one file. */
export function paymentsCsvPath(wish: PaymentsWish): string {
  return `${path(wish)}&format=csv&bom=true`;
}

function path({ merchantId, zone, from, to, currency, filter: { type, values, between } }: PaymentsWish): string {
  const query = new URLSearchParams({ from: between?.since ?? from, to: between?.until ?? to, tz: zone });
  if (type !== undefined) query.set("type", type);
  if (currency !== undefined) query.set("currency", currency);
  for (const [dimension, value] of Object.entries(values)) query.set(dimension, value);
  return `/v1/merchants/${merchantId}/events?${query}`;
}
