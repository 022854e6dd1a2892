/** Digits an exponent may move the point by: far beyond any amount, and few enough to write out. */
const EXPONENT_MAX = 400;
const DECIMAL = /^([+-]?)(\d{1,100})(?:\.(\d{0,100}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * A decimal in units of its `digits`-th place: of "12.30" with two digits 1230. `undefined` for what is no decimal or has more places
 * than that: nothing is ever rounded.
 */
export function scaleDecimal(text: string, digits: number): bigint | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || Math.abs(Number(exponent)) > EXPONENT_MAX) return undefined;
  const shift = digits + Number(exponent) - fraction.length;
  const written = BigInt(whole + fraction);
  const power = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && written % power !== 0n) return undefined;
  const magnitude = shift < 0 ? written / power : written * power;
  return sign === "-" ? -magnitude : magnitude;
}

/**
 * The decimal that Kafka Connect's `Decimal` writes as base64: an integer in two's complement, big-endian, of which the last `scale`
 * digits are its fraction. `undefined` for what is no base64.
 */
export function decimalOfBase64(base64: string, scale: number): string | undefined {
  const unscaled = integerOfBase64(base64);
  if (unscaled === undefined) return undefined;
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0
    ? sign + digits
    : `${sign}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
}

function integerOfBase64(base64: string): bigint | undefined {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return undefined;
  }
  if (bytes === "" || bytes.length > 32) return undefined;
  let value = 0n;
  for (const character of bytes) value = (value << 8n) | BigInt(character.charCodeAt(0));
  return BigInt.asIntN(8 * bytes.length, value);
}
