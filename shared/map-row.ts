import type { EventFault } from "./accept-event.ts";
import { decimalOfBase64, scaleDecimal } from "./decimal.ts";
import { Moment } from "./extended-json.ts";
import { isCurrency, minorUnitDigits } from "./iso-codes.ts";
import { err, ok, type Result } from "./result.ts";
import { type Row, textAt, valueAt } from "./row-value.ts";
import type { IntegerField, MappingRule, MomentField, TextField, TypeField } from "./source-mapping.ts";

/** Whether a rule is for a row. */
export function appliesTo({ when }: MappingRule, row: Row): boolean {
  return Object.entries(when ?? {}).every(([column, values]) => {
    const value = textAt(row, column);
    return value !== false && value.text !== undefined && values.includes(value.text);
  });
}

/**
 * The payment that a row is by a rule, for `acceptEvent` to judge: what has no value is absent. A fault names the event's field and the
 * column, never what stands in it.
 */
export function mapRow({ fields }: MappingRule, row: Row): Result<Row, EventFault> {
  const reading = new RowReading(row);
  const { user, merchant, attributes } = fields;
  const currency = reading.text("currency", fields.currency);
  const event = {
    event_id: reading.text("event_id", fields.event_id),
    type: reading.type(fields.type),
    merchant_id: reading.text("merchant_id", fields.merchant_id),
    occurred_at: reading.moment("occurred_at", fields.occurred_at),
    amount: reading.integer("amount", fields.amount, currency),
    currency,
    payment_method: reading.text("payment_method", fields.payment_method),
    points_used: reading.integer("points_used", fields.points_used, currency),
    points_earned: reading.integer("points_earned", fields.points_earned, currency),
    refund_of: reading.text("refund_of", fields.refund_of),
    user: user && reading.texts("user", user),
    merchant: merchant && reading.texts("merchant", merchant),
    attributes: attributes && reading.texts("attributes", attributes),
  };
  return reading.fault === undefined ? ok(event) : err(reading.fault);
}

/** Reads the fields of one row; the first that cannot be read is its fault. */
class RowReading {
  fault: EventFault | undefined;
  readonly #row: Row;

  constructor(row: Row) {
    this.#row = row;
  }

  text(path: string, field: TextField | undefined): string | undefined {
    if (field === undefined) return undefined;
    if (typeof field === "string") return this.#column(path, field);
    if ("constant" in field) return field.constant;
    if ("template" in field) return this.#template(path, field.template);
    const text = this.#column(path, field.column);
    if (text === undefined) return field.otherwise;
    return field.values !== undefined && Object.hasOwn(field.values, text)
      ? field.values[text]
      : (field.otherwise ?? text);
  }

  texts(path: string, fields: Readonly<Record<string, TextField | undefined>>): Row {
    // By entries, so that a column called `__proto__` stays one.
    const texts = Object.entries(fields).map(([name, field]) => [name, this.text(`${path}.${name}`, field)] as const);
    return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
  }

  type(field: TypeField): string | undefined {
    if (typeof field === "string" || !("sign_of" in field)) return this.text("type", field);
    const amount = this.#column("type", field.sign_of);
    if (amount === undefined) return undefined;
    return /^-(?=.*[1-9])/.test(amount) ? "refund" : "payment";
  }

  /** Milliseconds, or RFC 3339 as it is. */
  moment(path: string, field: MomentField): number | string | undefined {
    const { column, unit } = typeof field === "string" ? { column: field, unit: "ms" as const } : field;
    const value = valueAt(this.#row, column);
    if (value === false) return this.#refuse(path, column, "a moment is a number or a text");
    const { scalar } = value;
    if (scalar === undefined) return undefined;
    if (scalar instanceof Moment) return Number(scalar.ms);
    const text = String(scalar);
    // Digits alone are a count of its unit, whether they came as a number or, where that is too large, as text.
    return /^-?\d{1,30}$/.test(text) ? Number((BigInt(text) * NANOSECONDS[unit]) / 1_000_000n) : text;
  }

  integer(path: string, field: IntegerField | undefined, currency: string | undefined): number | undefined {
    if (field === undefined) return undefined;
    const {
      column,
      decimals = 0,
      absolute = false,
      base64_scale,
    } = typeof field === "string" ? { column: field } : field;
    const decimal = this.#decimal(path, column, base64_scale);
    if (decimal === undefined) return undefined;
    const digits = decimals === "currency" ? digitsOf(currency) : decimals;
    if (digits === undefined) return this.#refuse(path, column, "the decimals of a currency that is not known");
    const units = scaleDecimal(decimal, digits);
    if (units === undefined) return this.#refuse(path, column, `a decimal of at most ${digits} places`);
    const value = absolute && units < 0n ? -units : units;
    return value > MAX || value < -MAX
      ? this.#refuse(path, column, "beyond 9007199254740991 minor units")
      : Number(value);
  }

  /** A number, a decimal as text, or Kafka Connect's: with the scale of the column, or one of its own where columns have none. */
  #decimal(path: string, column: string, base64Scale: number | undefined): string | undefined {
    const variable = variableScale(this.#row[column]);
    const base64 = variable?.value ?? (base64Scale === undefined ? undefined : this.#column(path, column));
    if (base64 === undefined) return base64Scale === undefined ? this.#column(path, column) : undefined;
    const decimal = decimalOfBase64(base64, variable?.scale ?? base64Scale ?? 0);
    return decimal ?? this.#refuse(path, column, "a decimal in base64");
  }

  /** The columns of a template in it; absent if one of them is. */
  #template(path: string, template: string): string | undefined {
    let isWhole = true;
    const text = template.replace(/\{([^{}]+)\}/g, (_, column: string) => {
      const value = this.#column(path, column);
      isWhole &&= value !== undefined;
      return value ?? "";
    });
    return isWhole ? text : undefined;
  }

  #column(path: string, column: string): string | undefined {
    const value = textAt(this.#row, column);
    return value === false ? this.#refuse(path, column, "a text or a number is expected") : value.text;
  }

  #refuse(path: string, column: string, expected: string): undefined {
    this.fault ??= { code: "invalid_value", path, message: `column ${column}: ${expected}` };
  }
}

function digitsOf(currency: string | undefined): number | undefined {
  return currency !== undefined && isCurrency(currency) ? minorUnitDigits(currency) : undefined;
}

/** Debezium's `VariableScaleDecimal`, of a `NUMERIC` without scale. */
function variableScale(value: unknown): { readonly value: string; readonly scale: number } | undefined {
  const { scale, value: base64 } = (value ?? {}) as { readonly scale?: unknown; readonly value?: unknown };
  if (typeof base64 !== "string" || !Number.isInteger(scale)) return undefined;
  return (scale as number) >= 0 && (scale as number) <= 1_000 ? { value: base64, scale: scale as number } : undefined;
}

const NANOSECONDS = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n };
const MAX = BigInt(Number.MAX_SAFE_INTEGER);
