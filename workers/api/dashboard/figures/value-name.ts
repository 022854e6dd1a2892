import type { Dimension } from "../data/answers.ts";
import { countryName } from "../text/format.ts";

/** What is written otherwise than by its first letter. */
const SPELT: Readonly<Record<string, string>> = { ios: "iOS", qr: "QR", pos: "POS" };

/** A value of a dimension as it is read. */
export function valueName(dimension: Dimension, value: string): string {
  if (dimension === "country") return countryName(value);
  if (dimension === "location" || dimension === "age_band") return value;
  const spelt = SPELT[value];
  if (spelt !== undefined) return spelt;
  const words = value.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
