import { DAY_MS } from "../../../../shared/window.ts";

/** A date of the calendar, `2026-11-27`, in whatever zone is meant: no moment, so it is reckoned with as if in UTC. */
export type CivilDate = string;

const CIVIL_DATE = /^\d{4}-\d{2}-\d{2}$/;

export function isCivilDate(text: string): text is CivilDate {
  return CIVIL_DATE.test(text) && !Number.isNaN(msOf(text)) && civilDateOf(msOf(text)) === text;
}

export const msOf = (date: CivilDate): number => Date.parse(`${date}T00:00:00Z`);

export const civilDateOf = (ms: number): CivilDate => new Date(ms).toISOString().slice(0, 10);

export const addDays = (date: CivilDate, days: number): CivilDate => civilDateOf(msOf(date) + days * DAY_MS);

export const daysBetween = (from: CivilDate, to: CivilDate): number => Math.round((msOf(to) - msOf(from)) / DAY_MS);

/** 1 is Monday, 7 Sunday. */
export const weekdayOf = (date: CivilDate): number => ((new Date(msOf(date)).getUTCDay() + 6) % 7) + 1;

export const startOfMonth = (date: CivilDate): CivilDate => `${date.slice(0, 7)}-01`;

/** The first of a month some months later, or earlier. */
export function addMonths(date: CivilDate, months: number): CivilDate {
  const day = new Date(msOf(startOfMonth(date)));
  day.setUTCMonth(day.getUTCMonth() + months);
  return civilDateOf(day.getTime());
}

/** Slow to make, and asked each time a page is drawn. */
const calendars = new Map<string, Intl.DateTimeFormat>();

/** The date that a zone's calendar shows at a moment. */
export function dateIn(zone: string, ms: number): CivilDate {
  const calendar = calendars.get(zone) ?? calendarOf(zone);
  calendars.set(zone, calendar);
  const parts = calendar.formatToParts(ms);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

function calendarOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en", {
    timeZone: zone,
    calendar: "iso8601",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
}
