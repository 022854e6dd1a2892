import { addDays, type CivilDate, dateIn } from "./civil-date.ts";
import { type Dates, datesOf, type Span } from "./span.ts";

export interface AskedSpan {
  readonly today: CivilDate;
  readonly dates: Dates;
  /** As the API reads them; `to` is not meant itself. */
  readonly from: string;
  readonly to: string;
}

/** A span that goes on is asked for up to now, so that the same question is asked again while it does. */
export function askedSpan(span: Span, zone: string, nowMs: number): AskedSpan {
  const today = dateIn(zone, nowMs);
  const dates = datesOf(span, today);
  return { today, dates, from: dates.from, to: dates.last >= today ? "now" : addDays(dates.last, 1) };
}
