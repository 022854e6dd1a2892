import { SIP_KEY_ZERO, sipHash } from "./siphash.ts";
import { addToSum, SUM_WIDTH, setSum, sumAt } from "./sum.ts";

export const DIMENSIONS = ["payment_method", "gender", "age_band", "grade", "country", "device", "location"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** A breakdown names this many values; what came beyond them is in `other`. */
export const BREAKDOWN_VALUES_MAX = 128;

/** Payments of one value: how many, and their sum in minor units. */
export interface Cell {
  readonly count: number;
  readonly amount: bigint;
}

/** Payments by the values of one dimension. A payment without the dimension is in neither `values` nor `other`. */
export interface Breakdown {
  readonly values: ReadonlyMap<string, Cell>;
  readonly other: Cell;
}

export const EMPTY_CELL: Cell = { count: 0, amount: 0n };
export const EMPTY_BREAKDOWN: Breakdown = { values: new Map(), other: EMPTY_CELL };

const addCells = (a: Cell, b: Cell): Cell => ({ count: a.count + b.count, amount: a.amount + b.amount });

/**
 * Both together. Kept are the 128 values with the smallest hash: a value that is among them in the end was among them in
 * every part, so nothing of it was ever folded into `other`, and order and grouping do not show in the result.
 */
export function mergeBreakdowns(a: Breakdown, b: Breakdown): Breakdown {
  const values = new Map(a.values);
  for (const [value, cell] of b.values) values.set(value, addCells(values.get(value) ?? EMPTY_CELL, cell));
  return capped(values, addCells(a.other, b.other));
}

/** The canonical form of any number of values: the 128 of smallest hash, the rest added to `other`. */
export function capped(values: Map<string, Cell>, other: Cell): Breakdown {
  if (values.size <= BREAKDOWN_VALUES_MAX) return { values, other };
  const ranked = [...values].map(([value, cell]) => ({ rank: rankOf(value), value, cell }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const kept = ranked.slice(0, BREAKDOWN_VALUES_MAX).map(({ value, cell }) => [value, cell] as const);
  const rest = ranked.slice(BREAKDOWN_VALUES_MAX).reduce((sum, { cell }) => addCells(sum, cell), other);
  return { values: new Map(kept), other: rest };
}

/** The accumulating form of a cell: how many, and the sum. */
type CellCounter = Float64Array;
const COUNT = 0;
const SUM = 1;

/** The accumulating form of a breakdown. */
export class BreakdownCounter {
  readonly #cells: Map<string, CellCounter>;
  readonly #other: CellCounter;
  /** Largest rank kept, once there are as many values as may be; a value of a larger rank goes to `other`. */
  #largest: { readonly rank: string; readonly value: string } | undefined;

  constructor(from: Breakdown = EMPTY_BREAKDOWN) {
    this.#cells = new Map([...from.values].map(([value, cell]) => [value, counterOf(cell)]));
    this.#other = counterOf(from.other);
    if (this.#cells.size === BREAKDOWN_VALUES_MAX) this.#largest = this.#findLargest();
  }

  /** Counts a payment of an amount, an integer of 0…2^53−1. */
  add(value: string, amount: number): void {
    const cell = this.#cells.get(value) ?? this.#newCell(value);
    (cell[COUNT] as number) += 1;
    addToSum(cell, SUM, amount);
  }

  breakdown(): Breakdown {
    return {
      values: new Map([...this.#cells].map(([value, cell]) => [value, cellOf(cell)])),
      other: cellOf(this.#other),
    };
  }

  #newCell(value: string): CellCounter {
    if (this.#largest !== undefined) {
      if (rankOf(value) > this.#largest.rank) return this.#other;
      const evicted = this.#cells.get(this.#largest.value);
      this.#cells.delete(this.#largest.value);
      if (evicted !== undefined) {
        (this.#other[COUNT] as number) += evicted[COUNT] as number;
        setSum(this.#other, SUM, sumAt(this.#other, SUM) + sumAt(evicted, SUM));
      }
    }
    const cell = counterOf(EMPTY_CELL);
    this.#cells.set(value, cell);
    if (this.#cells.size === BREAKDOWN_VALUES_MAX) this.#largest = this.#findLargest();
    return cell;
  }

  #findLargest(): { rank: string; value: string } | undefined {
    let largest: { rank: string; value: string } | undefined;
    for (const value of this.#cells.keys()) {
      const rank = rankOf(value);
      if (largest === undefined || rank > largest.rank) largest = { rank, value };
    }
    return largest;
  }
}

function counterOf({ count, amount }: Cell): CellCounter {
  const counter = new Float64Array(SUM + SUM_WIDTH);
  counter[COUNT] = count;
  setSum(counter, SUM, amount);
  return counter;
}

const cellOf = (counter: CellCounter): Cell => ({ count: counter[COUNT] as number, amount: sumAt(counter, SUM) });

const scratch = { lo: 0, hi: 0 };

/** Orders values by `sipHash64` (as ClickHouse computes it), equal hashes by the value itself. */
function rankOf(value: string): string {
  const { lo, hi } = sipHash(SIP_KEY_ZERO, value, scratch);
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0") + value;
}
