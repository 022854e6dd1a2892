/** Whether a span's numbers still change: `open` until it has closed, `provisional` for a day, then `final`. */
export type WindowStatus = "open" | "provisional" | "final";

export interface CountAndAmount {
  count: number;
  amount: number;
}

export interface Breakdown {
  /** Largest amount first. */
  values: (CountAndAmount & { value: string })[];
  other: CountAndAmount;
  unspecified: CountAndAmount;
}

/**
 * What a merchant sold in a span, in one currency. Money is in integer minor units; what has no value without payments is null. A sum
 * past 2^53 is rounded by `JSON.parse`: read such a body as text where the last digit counts.
 */
export interface Report {
  payments: CountAndAmount;
  refunds: CountAndAmount;
  net: number;
  average: number | null;
  min: number | null;
  max: number | null;
  p50: number | null;
  p90: number | null;
  p99: number | null;
  points: { used: number; earned: number };
  /** Unique customers, estimated. */
  customers: number;
  breakdowns: Record<string, Breakdown>;
}

/** How a figure compares with its base: 0.25 is a quarter more, `new` is something where there was nothing. */
export interface Change {
  absolute: number | null;
  ratio: number | "new" | null;
}

/** Figures of a span, without its breakdowns. */
export type Figures = Omit<Report, "breakdowns">;

/** With `compare`. */
export interface Comparison {
  /** What the base covers; several spans where it is their mean. */
  bases: { from: string; to: string }[];
  /** What has elapsed and is compared, where that is less than the whole. */
  current?: Figures;
  base: Figures;
  /** Of the figures' own shape. */
  change: {
    [Name in keyof Figures]: Figures[Name] extends number | null ? Change : Record<keyof Figures[Name], Change>;
  };
}

/** With `group_by`: payments by value, largest first; the parts make the whole. */
export interface Groups {
  dimension: string;
  parts: {
    part: "value" | "other" | "unspecified";
    /** null unless `part` is `value`. */
    value: string | null;
    total: CountAndAmount;
    /** In the order of the series' buckets. */
    buckets: CountAndAmount[];
    comparison?: { current: CountAndAmount; base: CountAndAmount; change: Record<keyof CountAndAmount, Change> };
  }[];
}

export interface Notice {
  code: string;
  message: string;
}

/** How fresh an answer is. Times are RFC 3339 in the zone of the answer. */
export interface Freshness {
  /** What it is made of cannot be asked right now: this is of `as_of`, up to an hour ago. */
  stale?: true;
  merchant_id: string;
  timezone: string;
  as_of: string;
  /** Up to here every window has closed and is all there; while something is away (`notices`) that may be before the span. */
  complete_through: string;
  notices: Notice[];
}

/** The answer to `GET /v1/merchants/{id}/report`. */
export interface ReportAnswer extends Freshness {
  start: string;
  end: string;
  status: WindowStatus;
  reports: (Report & { currency: string; revision: number })[];
}

/** The answer to `GET /v1/merchants/{id}/metrics`. */
export interface MetricsAnswer extends Freshness {
  from: string;
  to: string;
  granularity: string;
  /** With `refunds_by=sale`. */
  refunds?: {
    by: "sale";
    /** Refunds made in it were looked at. */
    made: { from: string; to: string };
    archived_through: string;
    /** Payments that are counted, and cannot be read one by one yet. */
    sales_unread: number;
  };
  series: {
    currency: string;
    /** With `refunds_by=sale`: refunds made in `refunds.made` that are in none of these numbers. */
    refunds_undated?: { of_other_sales: CountAndAmount; without_sale: CountAndAmount; unread: CountAndAmount };
    total: Figures & {
      status: WindowStatus;
      revision: number;
      /** Without `group_by`. */
      breakdowns?: Record<string, Breakdown>;
      comparison?: Comparison | null;
      /** With `amounts`: how many payments are of an amount in `[from, to)`, ascending. */
      amounts?: { from: number; to: number; count: number }[];
    };
    buckets: (Figures & {
      start: string;
      end: string;
      label: string;
      status: WindowStatus;
      revision: number;
      /** Without `group_by`. */
      breakdowns?: Record<string, Breakdown>;
      comparison?: Comparison | null;
    })[];
    groups?: Groups;
  }[];
}

/** A payment or refund, as the numbers count it. */
export interface ListedEvent {
  event_id: string;
  type: "payment" | "refund";
  occurred_at: string;
  received_at: string;
  amount: number;
  currency: string;
  payment_method: string;
  points_used: number;
  points_earned: number;
  /** The event_id of the payment. */
  refund_of?: string;
  user?: {
    /** Keyed: the same for the same customer, and no way back. */
    id_hash?: string;
    grade?: string;
    gender?: string;
    country?: string;
    device?: string;
    age_band?: string;
  };
  merchant?: { grade?: string; location?: string; business_type?: string };
  attributes?: Record<string, string>;
}

/** The answer to `GET /v1/merchants/{id}/events`. */
export interface EventsAnswer extends Freshness {
  from: string;
  to: string;
  order: "oldest" | "newest";
  events: ListedEvent[];
  /** null after the last page. */
  next_cursor: string | null;
  /** Seconds to wait before the next page is asked for; a server of version 0.1 does not say. */
  next_after_s?: number;
}
