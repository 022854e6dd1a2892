/** Raw events stand under this, by event hour. */
export const ARCHIVE_ROOT = "raw/v1/";

/** Where raw events of an hour stand in the archive bucket; `name` is unique within the hour. */
export function archiveKey(hourMs: number, name: string): string {
  return `${archivePrefix(hourMs)}${name}.ndjson.gz`;
}

/** Where Parquet made of an hour's objects stands: beside them, so that one listing tells of both. `name` is of no other one. */
export function compactedKey(hourMs: number, name: string): string {
  return `${archivePrefix(hourMs)}compacted-${name}.parquet`;
}

/** Where it stands which objects of an hour are in which Parquet. */
export function manifestKey(hourMs: number): string {
  return `${archivePrefix(hourMs)}manifest.json`;
}

/** What an object of an hour is: the manifest, Parquet, or else lines as ingest wrote them. */
export function archivedKind(key: string): "lines" | "parquet" | "manifest" {
  if (key.endsWith("/manifest.json")) return "manifest";
  return key.endsWith(".parquet") ? "parquet" : "lines";
}

/** `raw/v1/YYYY/MM/DD/HH/` of an hour, by event time in UTC. */
export function archivePrefix(hourMs: number): string {
  const days = Math.floor(hourMs / 86_400_000);
  const hour = Math.floor((hourMs - days * 86_400_000) / 3_600_000);
  const { year, month, day } = civilDate(days);
  return `${ARCHIVE_ROOT}${year}/${pad(month)}/${pad(day)}/${pad(hour)}/`;
}

/** Keys of the archive: nothing in them means anything in a pattern. */
export const ARCHIVED_KEY_PATTERN = /^raw\/v1\/\d{4}\/\d{2}\/\d{2}\/\d{2}\/[A-Za-z0-9._-]+$/;

/** The event hour an object stands under; `undefined` for a key of something else. */
export function archivedHour(key: string): number | undefined {
  const found = KEY.exec(key);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0] = found.slice(1).map(Number);
  return daysSinceEpoch(year, month, day) * 86_400_000 + hour * 3_600_000;
}

const KEY = /^raw\/v1\/(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})\//;

const pad = (n: number) => String(n).padStart(2, "0");

/** Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days; for 1970 and later. */
function civilDate(daysSinceEpoch: number): { year: number; month: number; day: number } {
  const shifted = daysSinceEpoch + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** The same author's days_from_civil, for 1970 and later. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
