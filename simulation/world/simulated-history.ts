import { DIMENSIONS } from "../../shared/breakdown.ts";
import type { Chance } from "./chance.ts";
import { type Distance, farCall } from "./far-call.ts";

/** Of inserts that arrive, so many are refused for their data. */
const REFUSED = 0.01;
const CANNOT_PARSE =
  "Code: 27. DB::Exception: Cannot parse input: a simulated refusal. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)";

type Row = Readonly<Record<string, unknown>> & {
  readonly merchant_id: string;
  readonly currency: string;
  readonly window_start: number;
  readonly revision: number;
};

/**
 * ClickHouse as its client sees it, over HTTP: takes inserts into `windows` as JSON lines, keeps the highest revision of each key, and
 * answers the query of one merchant's windows. May refuse, or store and never say so.
 */
export class SimulatedHistory {
  readonly #rows = new Map<string, Row>();
  readonly #distance: Distance;
  readonly #chance: Chance;
  readonly #onViolation: (violation: Error) => void;

  constructor(distance: Distance, chance: Chance, onViolation: (violation: Error) => void) {
    this.#distance = distance;
    this.#chance = chance;
    this.#onViolation = onViolation;
  }

  /** Stands in for the global `fetch`, which the ClickHouse client calls. */
  readonly fetch = async (url: string, { body, signal }: RequestInit): Promise<Response> => {
    const answer = farCall(this.#distance, "history", () => this.#answer(new URL(url), String(body)), connectionLost);
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
    const { status, text, code } = await Promise.race([answer, aborted]);
    return new Response(text, { status, headers: code === undefined ? {} : { "x-clickhouse-exception-code": code } });
  };

  /** The highest revision of each key. */
  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  #answer(url: URL, body: string): { readonly status: number; readonly text: string; readonly code?: string } {
    const query = url.searchParams.get("query") ?? "";
    if (!/^INSERT INTO windows\b/.test(query)) return { status: 200, text: this.#select(body) };
    if (!this.#distance.weather.isCalm && this.#chance.is(REFUSED)) {
      return { status: 400, text: CANNOT_PARSE, code: "27" };
    }
    for (const line of body.split("\n")) if (line !== "") this.#store(JSON.parse(line), line);
    return { status: 200, text: "" };
  }

  #store(row: Row, text: string): void {
    const key = `${row.merchant_id} ${row.currency} ${row.window_start}`;
    const stored = this.#rows.get(key);
    if (stored?.revision === row.revision && JSON.stringify(stored) !== JSON.stringify(JSON.parse(text))) {
      this.#onViolation(new Error(`two states of ${key} under revision ${row.revision}`));
    }
    if (stored === undefined || stored.revision < row.revision) this.#rows.set(key, row);
  }

  /** One row a window and bucket; to merge several of a bucket would be ClickHouse's, and is left to who asks. */
  #select(body: string): string {
    const parameter = (name: string) =>
      new RegExp(`name="param_${name}"\\r\\n\\r\\n([^\\r]*)\\r\\n`).exec(body)?.[1] ?? "";
    // It has no roll-ups: windows are found wherever they are asked of, and all versions come to nothing.
    if (parameter("checked_from") !== "") return '["0"]\n';
    const numbers = (name: string) => (parameter(name).match(/\d+/g) ?? []).map(Number);
    const merchant = parameter("merchant");
    const ofTiers = (end: string) =>
      ["months", "days", "hours", "windows"].flatMap((tier) => numbers(`${tier}_${end}`));
    const [from, to, bounds] = [ofTiers("from"), ofTiers("to"), numbers("bounds")];
    const isAsked = (start: number) => from.some((first, i) => start >= first && start < (to[i] ?? 0));
    const rows = [...this.#rows.values()].filter((row) => row.merchant_id === merchant && isAsked(row.window_start));
    return rows
      .map((row) => {
        const bucket = bounds.findLast((bound) => bound <= row.window_start) ?? 0;
        return `${JSON.stringify([row.currency, bucket, row.revision, "0", ...mergedColumns(row)])}\n`;
      })
      .join("");
  }
}

/** `MERGED_COLUMNS` (workers/merged-columns.ts) of one row. */
function mergedColumns(row: Row): unknown[] {
  const list = (column: string) => row[column] as readonly unknown[];
  const counts = list("amount_bucket_count");
  return [
    ...["payments_count", "payments_amount", "refunds_count", "refunds_amount"].map((column) => row[column]),
    ...["points_used", "points_earned", "amount_min", "amount_max"].map((column) => row[column]),
    Object.fromEntries(list("amount_bucket").map((bucket, at) => [bucket, counts[at]])),
    row.customers,
    ...DIMENSIONS.map((d) => [list(`by_${d}_value`), list(`by_${d}_count`), list(`by_${d}_amount`)]),
  ];
}

const connectionLost = () => new TypeError("fetch failed: connection reset");
