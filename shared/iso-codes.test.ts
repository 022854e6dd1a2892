import { expect, test } from "vitest";
import { isCountry, isCurrency, minorUnitDigits } from "./iso-codes.ts";

const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const pairs = letters.flatMap((a) => letters.map((b) => a + b));
const triples = pairs.flatMap((pair) => letters.map((c) => pair + c));

test("as many currencies as ISO 4217 lists, and the six withdrawn that history can hold", () => {
  expect(triples.filter(isCurrency).length).toBe(178 + 6);
  for (const code of ["JPY", "EUR", "USD", "KWD", "XCG", "ZWG", "XXX", "HRK", "ANG"])
    expect(isCurrency(code)).toBe(true);
  for (const code of ["DEM", "FRF", "EURO", "jpy", "", "JP", "BTC", " JPY", "JPY\n"])
    expect(isCurrency(code)).toBe(false);
});

test("249 countries as ISO 3166-1 assigns them, and the 42 codes it leaves to its users", () => {
  expect(pairs.filter(isCountry).length).toBe(249 + 42);
  for (const code of ["JP", "GB", "US", "XK", "AQ", "SS", "ZZ", "QM"]) expect(isCountry(code)).toBe(true);
  for (const code of ["UK", "EU", "SU", "YU", "jp", "", "JPN", "QL", "AB", "JP\n"]) expect(isCountry(code)).toBe(false);
});

test("every currency of today that the runtime knows is one", () => {
  expect(Intl.supportedValuesOf("currency").filter((code) => !isCurrency(code))).toEqual([]);
});

test("every country that the runtime can name is one", () => {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  // Of these the runtime knows, though ISO has reserved, not assigned them, or never did.
  const reserved = new Set(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "TA", "UN"]);
  const canonical = pairs.filter((code) => new Intl.Locale(`und-${code}`).region === code);
  const named = canonical.filter((code) => names.of(code) !== undefined && !reserved.has(code));
  expect(named.filter((code) => !isCountry(code))).toEqual([]);
});

test("a currency has the digits that ISO 4217 gives it, and not those that the runtime shows it with", () => {
  const digits = (code: string) => minorUnitDigits(code);
  expect(["JPY", "KRW", "VND", "UGX", "ISK", "XAU"].map(digits)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map(digits)).toEqual([3, 3, 3, 3, 3, 3, 3]);
  expect(["USD", "EUR", "HUF", "TWD", "MGA", "UYU"].map(digits)).toEqual([2, 2, 2, 2, 2, 2]);
  expect(triples.filter((code) => isCurrency(code) && minorUnitDigits(code) !== 2).length).toBe(16 + 14 + 7 + 2);
});
