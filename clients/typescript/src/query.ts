import type { Freshness } from "./report.ts";

/** Metrics and dimensions are as in the API's description, such as `payments.amount` and `payment_method`. */
export interface QueryBody {
  /** As in metrics, epoch milliseconds among them; `today` unless told. */
  from?: string | number;
  to?: string | number;
  tz?: string;
  metrics: readonly string[];
  dimensions?: readonly string[];
  /** Of the dimension `time`. */
  granularity?: "10m" | "1h" | "1d" | "1w" | "1mo";
  where?: {
    currency?: string | readonly string[];
    [dimension: string]: ValueFilter | string | readonly string[] | undefined;
  };
  having?: readonly { metric: string; op: "eq" | "ne" | "lt" | "lte" | "gt" | "gte"; value: number }[];
  order?: readonly { by: string; direction?: "asc" | "desc" }[];
  limit?: number;
}

export type ValueFilter = { eq: string } | { in: readonly string[] } | { not_in: readonly string[] };

/** The answer to `POST /v1/merchants/{id}/query`. */
export interface QueryAnswer extends Freshness {
  from: string;
  to: string;
  /** The dimensions and metrics that were asked for; of one currency each. */
  rows: ({ currency: string } & Record<string, string | number | null>)[];
  /** Without the limit. */
  rows_found: number;
  truncated: boolean;
  cost: { rows_read: number; bytes_read: number; elapsed_ms: number; hot_windows: number };
}
