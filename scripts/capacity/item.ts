import type { Limit } from "./platform.ts";

export type Section = "load" | "log" | "shards" | "counting" | "history" | "upkeep" | "reads" | "outage" | "bill";

/** One figure, and how it comes about. */
export interface Item {
  readonly section: Section;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The formula with the numbers put in; what it gives is `value`, but for the rounding of what is printed. */
  readonly arithmetic: string;
  readonly limit?: number;
  /** Whose limit it is, and who says so. */
  readonly limit_of?: string;
  readonly broken?: boolean;
  /** Of a broken limit: which option would mend it. */
  readonly mend?: string;
}

/** Items of one section: `figure(name, value, unit, arithmetic)`. */
export function figuresOf(section: Section) {
  return (name: string, value: number, unit: string, arithmetic: string): Item => ({
    section,
    name,
    value,
    unit,
    arithmetic,
  });
}

/** The item held against a limit, given in the item's own unit. */
export function within(item: Item, limit: number, { of, source }: Pick<Limit, "of" | "source">, mend: string): Item {
  const held = { ...item, limit, limit_of: `${of}: ${source}`, broken: item.value > limit };
  return held.broken ? { ...held, mend } : held;
}

/** A number as it stands in a line: four digits at least, large and small ones with an exponent of thousands, as options take them. */
export function n(value: number): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : String(value);
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-3) {
    const exponent = 3 * Math.floor(Math.log10(size) / 3 + 1e-12);
    return `${Number((value / 10 ** exponent).toPrecision(4))}e${exponent}`;
  }
  if (size >= 1_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(4)));
}
