import { PATH_ID_PATTERN } from "../../../../shared/path-id.ts";
import { type Comparison, type Granularity, MEASURES, type Measure } from "../data/answers.ts";
import { isCivilDate } from "./civil-date.ts";
import { PRESETS, type Span } from "./span.ts";

/** All that a page shows by, which its address says: a link reproduces it. */
export interface View {
  /** Whose numbers; `undefined` for one's own. */
  readonly merchant: string | undefined;
  readonly span: Span;
  /** `undefined` for what suits the span. */
  readonly granularity: Granularity | undefined;
  readonly compare: Comparison | "none";
  /** `undefined` for the merchant's own. */
  readonly zone: string | undefined;
  readonly currency: string | undefined;
  /** What the main line is of. */
  readonly measure: Measure;
  /** Whether today's line adds up, or shows each ten minutes. */
  readonly line: "running" | "each";
}

export const GRANULARITIES = ["10m", "1h", "1d", "1w", "1mo"] as const satisfies readonly Granularity[];
export const COMPARISONS = [
  "previous_period",
  "same_weekday",
  "four_week_average",
  "year_ago",
] as const satisfies readonly Comparison[];
const LINES = ["running", "each"] as const;

export const DEFAULT_VIEW: View = {
  merchant: undefined,
  span: "last-28-days",
  granularity: undefined,
  compare: "same_weekday",
  zone: undefined,
  currency: undefined,
  measure: "net",
  line: "running",
};

/** What an address says of it. All else is a page's own. */
export const VIEW_PARAMETERS: ReadonlySet<string> = new Set([
  ...["merchant", "span", "from", "to", "granularity", "compare", "tz", "currency", "measure", "line"],
]);

/** Whatever an address has that is none of ours is left out: an old link still shows something. */
export function viewOf(query: URLSearchParams): View {
  const oneOf = <T extends string>(name: string, values: readonly T[]) =>
    values.find((value) => value === query.get(name));
  const zone = query.get("tz") ?? "";
  const currency = query.get("currency") ?? "";
  return {
    merchant: pathIdOf(query.get("merchant")),
    span: spanOf(query),
    granularity: oneOf("granularity", GRANULARITIES),
    compare: oneOf("compare", [...COMPARISONS, "none"]) ?? DEFAULT_VIEW.compare,
    zone: isZone(zone) ? zone : undefined,
    currency: /^[A-Z]{3}$/.test(currency) ? currency : undefined,
    measure: oneOf("measure", MEASURES) ?? DEFAULT_VIEW.measure,
    line: oneOf("line", LINES) ?? DEFAULT_VIEW.line,
  };
}

/** Only what is not as by default. */
export function queryOf(view: View): URLSearchParams {
  const { span } = view;
  const dates = typeof span === "object" ? span : undefined;
  const entries = {
    merchant: view.merchant,
    span: typeof span === "string" && span !== DEFAULT_VIEW.span ? span : undefined,
    from: dates?.from,
    to: dates?.last,
    granularity: view.granularity,
    compare: view.compare === DEFAULT_VIEW.compare ? undefined : view.compare,
    tz: view.zone,
    currency: view.currency,
    measure: view.measure === DEFAULT_VIEW.measure ? undefined : view.measure,
    line: view.line === DEFAULT_VIEW.line ? undefined : view.line,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(entries)) if (value !== undefined) query.set(name, value);
  return query;
}

function spanOf(query: URLSearchParams): Span {
  const from = query.get("from") ?? "";
  const last = query.get("to") ?? "";
  if (isCivilDate(from) && isCivilDate(last) && from <= last) return { from, last };
  return PRESETS.find((preset) => preset === query.get("span")) ?? DEFAULT_VIEW.span;
}

/** An id in an address becomes part of a path: what is none could lead to another call. */
export const pathIdOf = (text: string | null | undefined): string | undefined =>
  text != null && PATH_ID_PATTERN.test(text) ? text : undefined;

function isZone(zone: string): boolean {
  try {
    return zone !== "" && new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}
