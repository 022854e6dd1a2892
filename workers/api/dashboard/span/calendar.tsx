import { useEffect, useRef, useState } from "preact/hooks";
import { addDays, addMonths, type CivilDate, startOfMonth, weekdayOf } from "../address/civil-date.ts";
import type { Dates } from "../address/span.ts";
import { longDate, monthName, weekdayName } from "../text/format.ts";
import { t } from "../text/text.ts";

export interface CalendarProps extends Dates {
  readonly today: CivilDate;
  /** Told of the first date at once, as a range of one day, and of the range with the second. */
  readonly onRange: (dates: Dates) => void;
}

const WEEK = [0, 1, 2, 3, 4, 5, 6];

/** A month of which a range is chosen: by two clicks, or by arrow keys and Enter (the grid of the ARIA practices: one tab stop). */
export function Calendar({ from, last, today, onRange }: CalendarProps) {
  const [focus, setFocus] = useState(last > today ? today : last);
  const [anchor, setAnchor] = useState<CivilDate>();
  const grid = useRef<HTMLTableElement>(null);
  const hasMoved = useRef(false);
  useEffect(() => {
    if (hasMoved.current) grid.current?.querySelector<HTMLElement>(`[data-date="${focus}"]`)?.focus();
    hasMoved.current = false;
  }, [focus]);

  const choose = (date: CivilDate) => {
    setFocus(date);
    if (anchor === undefined) {
      setAnchor(date);
      onRange({ from: date, last: date });
    } else {
      setAnchor(undefined);
      onRange(date < anchor ? { from: date, last: anchor } : { from: anchor, last: date });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, () => CivilDate> = {
      ArrowLeft: () => addDays(focus, -1),
      ArrowRight: () => addDays(focus, 1),
      ArrowUp: () => addDays(focus, -7),
      ArrowDown: () => addDays(focus, 7),
      PageUp: () => addMonths(focus, -1),
      PageDown: () => addMonths(focus, 1),
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    hasMoved.current = true;
    const to = step();
    setFocus(to > today ? today : to);
  };

  const month = startOfMonth(focus);
  const firstCell = addDays(month, 1 - weekdayOf(month));
  const weeks = WEEK.slice(0, 6).map((week) => WEEK.map((day) => addDays(firstCell, week * 7 + day)));
  return (
    <div>
      <div class="picker-month">
        <button
          type="button"
          class="quiet"
          aria-label={t("span.earlier_month")}
          onClick={() => setFocus(addMonths(focus, -1))}
        >
          ‹
        </button>
        <span aria-live="polite">{monthName(month)}</span>
        <button
          type="button"
          class="quiet"
          aria-label={t("span.later_month")}
          disabled={addMonths(focus, 1) > today}
          onClick={() => setFocus(addMonths(focus, 1))}
        >
          ›
        </button>
      </div>
      <table ref={grid} class="calendar" aria-label={t("span.calendar")} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {WEEK.map((day) => (
              <th key={day} scope="col" abbr={weekdayName(day + 1, "long")}>
                {weekdayName(day + 1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map(([monday = month, ...rest]) => (
            <tr key={monday}>
              {[monday, ...rest].map((date) => (
                <td key={date} class={date === from || date === last ? "end" : date > from && date < last ? "in" : ""}>
                  {startOfMonth(date) === month && (
                    <button
                      type="button"
                      data-date={date}
                      tabIndex={date === focus ? 0 : -1}
                      aria-label={longDate(date)}
                      aria-pressed={date >= from && date <= last}
                      disabled={date > today}
                      onClick={() => choose(date)}
                    >
                      {Number(date.slice(8))}
                    </button>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
