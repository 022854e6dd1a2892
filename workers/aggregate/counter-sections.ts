import { z } from "zod";
import { type Breakdown, type Cell, DIMENSIONS, EMPTY_CELL } from "../../shared/breakdown.ts";
import { roomFor } from "../../shared/growing.ts";
import { byDimension, type Report, ReportCounter } from "../../shared/report.ts";
import { SUM_WIDTH, setSum, sumAt } from "../../shared/sum.ts";
import { TextList, TextTable } from "../../shared/text-table.ts";
import { jsonSection, type SectionReader } from "./sections.ts";

/** Numbers of a report: two counts, the smallest and largest amount, four sums. */
const SUMS = 4;
const NUMBERS = SUMS + 4 * SUM_WIDTH;
/** How many entries of a report stand in the columns: buckets of amounts, customers, cells of each dimension. */
const SIZES = 2 + DIMENSIONS.length;
/** Numbers of a cell: how many, and the sum. */
const CELL = 1 + SUM_WIDTH;

const headerSchema = z.object({ counters: z.int().min(0), labels: z.int().min(0) });

/** Counters of windows for a page, as columns: as rows of JSON they took half as long again to write, and three times as long to read. */
export function counterSections(counters: readonly ReportCounter[]): ArrayBufferView[] {
  const columns = new CounterColumns();
  for (const counter of counters) columns.add(counter.report());
  return columns.sections();
}

/** The columns while they grow, each a list of numbers. */
class CounterColumns {
  readonly #labels = new TextTable();
  readonly #numbers = new NumberColumn();
  readonly #sizes: number[] = [];
  readonly #buckets: number[] = [];
  readonly #bucketCounts: number[] = [];
  readonly #customers: number[] = [];
  readonly #cellLabels: number[] = [];
  readonly #cells = new NumberColumn();
  #counters = 0;

  add(report: Report): void {
    this.#counters += 1;
    writeNumbers(this.#numbers.take(NUMBERS), this.#numbers.at, report);
    const { bucket, count } = report.amounts;
    this.#sizes.push(bucket.length, report.customers.length);
    for (let i = 0; i < bucket.length; i++) this.#buckets.push(bucket[i] as number);
    for (let i = 0; i < count.length; i++) this.#bucketCounts.push(count[i] as number);
    for (let i = 0; i < report.customers.length; i++) this.#customers.push(report.customers[i] as number);
    for (const dimension of DIMENSIONS) this.#addBreakdown(report.breakdowns[dimension]);
  }

  sections(): ArrayBufferView[] {
    const header = { counters: this.#counters, labels: this.#labels.size };
    return [
      jsonSection(header satisfies z.input<typeof headerSchema>),
      this.#labels.toBytes(),
      this.#numbers.all(),
      new Uint32Array(this.#sizes),
      new Uint16Array(this.#buckets),
      new Float64Array(this.#bucketCounts),
      new Uint16Array(this.#customers),
      new Uint32Array(this.#cellLabels),
      this.#cells.all(),
    ];
  }

  #addBreakdown({ values, other }: Breakdown): void {
    this.#sizes.push(values.size + (other.count > 0 ? 1 : 0));
    values.forEach((cell, label) => {
      this.#addCell(this.#labels.intern(label) + 1, cell);
    });
    if (other.count > 0) this.#addCell(OTHER, other);
  }

  #addCell(label: number, { count, amount }: Cell): void {
    this.#cellLabels.push(label);
    const numbers = this.#cells.take(CELL);
    numbers[this.#cells.at] = count;
    setSum(numbers, this.#cells.at + 1, amount);
  }
}

/** A `Float64Array` that grows. */
class NumberColumn {
  #numbers = new Float64Array(0);
  #size = 0;
  /** Where what was taken last begins. */
  at = 0;

  /** Makes room for some more; answers where they are to be written, from `at` on. */
  take(count: number): Float64Array {
    this.at = this.#size;
    this.#size += count;
    this.#numbers = roomFor(this.#numbers, this.#size);
    return this.#numbers;
  }

  all(): Float64Array {
    return this.#numbers.subarray(0, this.#size);
  }
}

/** Reads back what `counterSections` gave. Throws when it is not whole. */
export function readCounters(reader: SectionReader): ReportCounter[] {
  const header = headerSchema.parse(reader.json());
  const labels = TextList.fromBytes(reader.bytes(), header.labels);
  const numbers = reader.float64();
  const sizes = reader.uint32();
  const buckets = reader.uint16();
  const bucketCounts = reader.float64();
  const customers = reader.uint16();
  const cellLabels = reader.uint32();
  const cellNumbers = reader.float64();
  let bucket = 0;
  let customer = 0;
  let cell = 0;
  const breakdown = (size: number) => {
    const values = new Map<string, Cell>();
    let other = EMPTY_CELL;
    for (const end = cell + size; cell < end; cell++) {
      const label = cellLabels[cell] as number;
      const read = { count: cellNumbers[CELL * cell] as number, amount: sumAt(cellNumbers, CELL * cell + 1) };
      if (label === OTHER) other = read;
      else values.set(labels.get(label - 1), read);
    }
    return { values, other };
  };
  const counters = Array.from({ length: header.counters }, (_, at) => {
    const [bucketSize = 0, customerSize = 0, ...cellSizes] = sizes.subarray(SIZES * at, SIZES * (at + 1));
    const amounts = {
      bucket: [...buckets.subarray(bucket, bucket + bucketSize)],
      count: [...bucketCounts.subarray(bucket, bucket + bucketSize)],
    };
    bucket += bucketSize;
    const seen = customers.slice(customer, customer + customerSize);
    customer += customerSize;
    const breakdowns = byDimension((name) => breakdown(cellSizes[DIMENSIONS.indexOf(name)] ?? 0));
    return new ReportCounter({ ...readNumbers(numbers, NUMBERS * at), amounts, customers: seen, breakdowns });
  });
  const isWhole =
    numbers.length === NUMBERS * header.counters &&
    sizes.length === SIZES * header.counters &&
    bucket === buckets.length &&
    bucket === bucketCounts.length &&
    customer === customers.length &&
    cell === cellLabels.length &&
    CELL * cell === cellNumbers.length;
  if (!isWhole) throw new Error("counters are missing");
  return counters;
}

/** In place of a label: the cell of the values that are not named. */
const OTHER = 0;

type ReportNumbers = Omit<Report, "amounts" | "customers" | "breakdowns">;

function writeNumbers(numbers: Float64Array, at: number, report: ReportNumbers): void {
  numbers.set([report.payments_count, report.refunds_count, report.amount_min, report.amount_max], at);
  const sums = [report.payments_amount, report.refunds_amount, report.points_used, report.points_earned];
  for (const [n, sum] of sums.entries()) setSum(numbers, at + SUMS + SUM_WIDTH * n, sum);
}

function readNumbers(numbers: Float64Array, at: number): ReportNumbers {
  const [payments_count = 0, refunds_count = 0, amount_min = 0, amount_max = 0] = numbers.subarray(at, at + SUMS);
  const sum = (n: number) => sumAt(numbers, at + SUMS + SUM_WIDTH * n);
  return {
    payments_count,
    refunds_count,
    amount_min,
    amount_max,
    payments_amount: sum(0),
    refunds_amount: sum(1),
    points_used: sum(2),
    points_earned: sum(3),
  };
}
