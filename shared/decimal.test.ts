import fc from "fast-check";
import { expect, test } from "vitest";
import { decimalOfBase64, scaleDecimal } from "./decimal.ts";

const places = fc.integer({ min: 0, max: 6 });

test("what is written with so many places and read with as many is the same, to the last digit", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      places,
      fc.integer({ min: 0, max: 4 }),
      (units, digits, zeros) => {
        expect(scaleDecimal(written(units, digits) + (digits > 0 ? "0".repeat(zeros) : ""), digits)).toBe(units);
        expect(scaleDecimal(`${units}e-${digits}`, digits)).toBe(units);
      },
    ),
  );
});

test.each([
  ["12.345", 2],
  ["1e-3", 2],
  ["0.1", 0],
])("%s is not rounded to %i places", (text, digits) => {
  expect(scaleDecimal(text, digits)).toBeUndefined();
});

test.each(["", "x", "1,000", " 1", ".5", "1e", "NaN", "Infinity", "1e999", "--1", "0x10"])(
  "%j is no decimal",
  (text) => {
    expect(scaleDecimal(text, 2)).toBeUndefined();
  },
);

test("Kafka Connect's bytes are read as its Decimal has them", () => {
  // What Debezium's documentation gives for a DECIMAL(10,2), and the two's complement of Java's BigInteger.
  expect(decimalOfBase64("AeJA", 2)).toBe("1234.56");
  expect(decimalOfBase64("/w==", 0)).toBe("-1");
  expect(decimalOfBase64("/w==", 3)).toBe("-0.001");
  expect(decimalOfBase64("AIA=", 1)).toBe("12.8");
  expect(decimalOfBase64("", 1)).toBeUndefined();
  expect(decimalOfBase64("?", 1)).toBeUndefined();
});

function written(units: bigint, digits: number): string {
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, "0");
  const point = text.length - digits;
  return `${units < 0n ? "-" : ""}${text.slice(0, point)}${digits > 0 ? `.${text.slice(point)}` : ""}`;
}
