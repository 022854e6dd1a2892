import type { FigureValue } from "./figure-names.ts";

/**
 * How a figure has changed against its base. `ratio` is `absolute` by the size of the base, so that a rise is positive, also where the base is negative; `"new"` where
 * the base is zero or nothing and the value is not; `null` where both are, and where the value is nothing. `absolute` is `null` where either is nothing.
 */
export interface Change {
  readonly absolute: number | bigint | null;
  readonly ratio: number | "new" | null;
}

/** A ten-thousandth of a per cent. */
const RATIO_DIGITS = 6;

export function changeOf(value: FigureValue, base: FigureValue): Change {
  if (value === null) return { absolute: null, ratio: null };
  if (base === null) return { absolute: null, ratio: "new" };
  const absolute = BigInt(value) - BigInt(base);
  if (Number(base) === 0) return { absolute, ratio: absolute === 0n ? null : "new" };
  // Beyond 2^53 a ratio loses digits that are not shown.
  return { absolute, ratio: Number((Number(absolute) / Math.abs(Number(base))).toFixed(RATIO_DIGITS)) };
}
