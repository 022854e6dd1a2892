import { FIGURES } from "./figure-names.ts";
import { statusOf } from "./metrics.ts";
import { exact, presentSpan, presentTime } from "./present.ts";
import type { QueryReading } from "./query.ts";
import type { QueryRow } from "./query-rows.ts";

/** The answer to `POST /v1/merchants/{id}/query` as JSON (query-schema.ts describes it). */
export function presentQuery(reading: QueryReading) {
  const { parameters, rows, rowsFound, cost } = reading;
  const { zone } = parameters;
  return {
    merchant_id: reading.merchantId,
    ...presentSpan(parameters, zone),
    timezone: zone,
    as_of: presentTime(reading.asOfMs, zone),
    complete_through: presentTime(reading.completeThroughMs, zone),
    notices: reading.notices,
    rows: [...presentRows(reading)],
    rows_found: rowsFound,
    truncated: rowsFound > rows.length,
    cost: {
      rows_read: cost.rowsRead,
      bytes_read: cost.bytesRead,
      elapsed_ms: Math.round(cost.elapsedMs * 10) / 10,
      hot_windows: cost.hotWindows,
    },
  };
}

function* presentRows(reading: QueryReading) {
  const showKeys = keysOf(reading);
  for (const row of reading.rows) {
    const figures = FIGURES.filter((figure) => row.figures.has(figure));
    yield {
      ...showKeys(row),
      ...Object.fromEntries(figures.map((figure) => [figure, exact(row.figures.get(figure) ?? null)])),
    };
  }
}

/** What tells a row apart, as it is shown in every form; the bucket of time with what is known of it. */
export function keysOf({ parameters, asOfMs }: QueryReading) {
  const { zone, dimensions, buckets, breakdown } = parameters;
  const byStart = new Map(buckets?.map((bucket) => [bucket.startMs, bucket]));
  const byValue = breakdown !== undefined && dimensions.has(breakdown.dimension) ? breakdown.dimension : undefined;
  return ({
    currency,
    bucketMs,
    weekday,
    hour,
    part,
    value,
    revision,
  }: QueryRow): Record<string, string | number | null> => {
    const bucket = byStart.get(bucketMs);
    return {
      currency,
      ...(bucket && {
        start: presentTime(bucket.startMs, zone),
        end: presentTime(bucket.endMs, zone),
        label: bucket.label,
        status: statusOf(bucket.endMs, asOfMs),
        revision,
      }),
      ...(dimensions.has("weekday") && { weekday }),
      ...(dimensions.has("hour") && { hour }),
      ...(byValue && { part: part ?? "value", [byValue]: value }),
    };
  };
}

/** The names of `keysOf`, in order. */
export function keyNames({ dimensions, breakdown, buckets }: QueryReading["parameters"]): string[] {
  return [
    "currency",
    ...(buckets === undefined ? [] : ["start", "end", "label", "status", "revision"]),
    ...(dimensions.has("weekday") ? ["weekday"] : []),
    ...(dimensions.has("hour") ? ["hour"] : []),
    ...(breakdown !== undefined && dimensions.has(breakdown.dimension) ? ["part", breakdown.dimension] : []),
  ];
}
