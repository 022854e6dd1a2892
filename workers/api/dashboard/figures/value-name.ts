import type { Dimension } from "../data/answers.ts";
import { countryName } from "../text/format.ts";
import { t } from "../text/text.ts";

/** What is written otherwise than by its first letter. */
const SPELT: Readonly<Record<string, string>> = { ios: "iOS", qr: "QR", pos: "POS" };

/** Values that most who send events have, by the language's own names; any other is read as it was sent. */
const NAMED = {
  payment_method: ["card", "cash", "wallet", "bank_transfer", "cash_voucher", "points"],
  gender: ["female", "male", "other"],
} as const;

/** A value of a dimension as it is read. */
export function valueName(dimension: Dimension, value: string): string {
  if (dimension === "country") return countryName(value);
  if (dimension === "location" || dimension === "age_band") return value;
  const method = NAMED.payment_method.find((name) => dimension === "payment_method" && name === value);
  if (method !== undefined) return t(`value.payment_method.${method}`);
  const gender = NAMED.gender.find((name) => dimension === "gender" && name === value);
  if (gender !== undefined) return t(`value.gender.${gender}`);
  const spelt = SPELT[value];
  if (spelt !== undefined) return spelt;
  const words = value.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
