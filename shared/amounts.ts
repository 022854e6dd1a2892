/**
 * Amounts as a sparse log-linear histogram, for quantiles within 1 %.
 *
 * `bucket` is ascending without repeats, `count[i]` ≥ 1 is how many amounts fell into `bucket[i]`; nothing is `{bucket: [], count: []}`.
 * ClickHouse's `sumMap(bucket, count)` merges this form into this form. Counts stay safe integers: at 30 billion a day, 2^53 is eight centuries.
 */
export interface AmountHistogram {
  readonly bucket: readonly number[];
  readonly count: readonly number[];
}

/** The accumulating form: an `AmountHistogram` at every moment, that `addAmount` may change. Plain arrays are the smallest form for few buckets. */
export interface AmountCounter extends AmountHistogram {
  readonly bucket: number[];
  readonly count: number[];
}

/** Parts of each power of two. Half of one part is 1/128 of the amount at most: the error of a quantile. */
const PARTS = 64;
const PART_BITS = 6;

/** Amounts have 53 bits; those of up to 6 bits get a bucket each, each further bit adds 64: indexes are 0…3071, 12 bits. */
export const AMOUNT_BUCKETS = (53 - PART_BITS + 1) * PARTS;

/**
 * Index of the bucket of `amount` (integer minor units, 0…2^53−1), ascending with it: the amount itself below 64, else
 * `64·s + (amount >> s)` where `s` is the position of its highest set bit less 6. Integer arithmetic only, so that every engine and SQL agree.
 * Throws a `RangeError` for anything else than an amount.
 */
export function amountBucket(amount: number): number {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`not an amount: ${amount}`);
  if (amount < PARTS) return amount;
  const shift = highestBit(amount) - PART_BITS;
  return shift * PARTS + Math.floor(amount / powerOfTwo(shift));
}

/** The amounts of a bucket, `low` included, `high` (at most 2^53) not. Throws a `RangeError` unless `index` is 0…3071. */
export function bucketRange(index: number): { low: number; high: number } {
  if (!Number.isInteger(index) || index < 0 || index >= AMOUNT_BUCKETS) throw new RangeError(`not a bucket: ${index}`);
  if (index < PARTS) return { low: index, high: index + 1 };
  const part = PARTS + (index % PARTS);
  const width = powerOfTwo(Math.floor(index / PARTS) - 1);
  return { low: part * width, high: (part + 1) * width };
}

/** A counter that starts from `histogram` (copied), or from nothing. */
export function amountCounter(histogram?: AmountHistogram): AmountCounter {
  return { bucket: [...(histogram?.bucket ?? [])], count: [...(histogram?.count ?? [])] };
}

/** Counts one amount (integer minor units) in place. Throws a `RangeError` for anything else than an amount. */
export function addAmount(counter: AmountCounter, amount: number): void {
  const bucket = amountBucket(amount);
  const at = firstNotBelow(counter.bucket, bucket);
  if (at < counter.bucket.length && counter.bucket[at] === bucket) {
    counter.count[at] = numberAt(counter.count, at) + 1;
    return;
  }
  insert(counter.bucket, at, bucket);
  insert(counter.count, at, 1);
}

/** As `splice` would, which takes longer: it makes an array of what it takes out, nothing. */
function insert(numbers: number[], at: number, number: number): void {
  numbers.push(number);
  for (let to = numbers.length - 1; to > at; to--) numbers[to] = numberAt(numbers, to - 1);
  numbers[at] = number;
}

/** The amounts of both. Commutative and associative, with `{bucket: [], count: []}` as identity. Neither argument is changed. */
export function mergeAmounts(a: AmountHistogram, b: AmountHistogram): AmountHistogram {
  const merged = amountCounter();
  let atA = 0;
  let atB = 0;
  while (atA < a.bucket.length || atB < b.bucket.length) {
    const bucketA = a.bucket[atA] ?? Number.POSITIVE_INFINITY;
    const bucketB = b.bucket[atB] ?? Number.POSITIVE_INFINITY;
    let count = 0;
    if (bucketA <= bucketB) count += numberAt(a.count, atA++);
    if (bucketB <= bucketA) count += numberAt(b.count, atB++);
    merged.bucket.push(Math.min(bucketA, bucketB));
    merged.count.push(count);
  }
  return merged;
}

/**
 * Estimate of the nearest-rank quantile, the amount of rank ⌈q·n⌉ (the first for q = 0): the middle of its bucket, kept within the known
 * `min` and `max` of the amounts. An integer, within 1/128 of the exact one, exact below 128; `null` when empty.
 * Throws a `RangeError` unless 0 ≤ q ≤ 1.
 */
export function amountQuantile(
  histogram: AmountHistogram,
  q: number,
  { min, max }: { readonly min: number; readonly max: number },
): number | null {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`not a quantile: ${q}`);
  let remaining = nearestRank(
    q,
    histogram.count.reduce((sum, count) => sum + count, 0),
  );
  for (const [at, bucket] of histogram.bucket.entries()) {
    remaining -= numberAt(histogram.count, at);
    if (remaining > 0) continue;
    const { low, high } = bucketRange(bucket);
    return Math.max(min, Math.min(max, low + Math.floor((high - low - 1) / 2)));
  }
  return null;
}

/** ⌈q·n⌉ for the decimal that `q` stands for: 0.07 · 100 is 7.000000000000001 in binary, and is rank 7, not 8. */
function nearestRank(q: number, n: number): number {
  const product = q * n;
  const nearest = Math.round(product);
  const rank = Math.abs(product - nearest) <= nearest * Number.EPSILON ? nearest : Math.ceil(product);
  return Math.max(1, rank);
}

function firstNotBelow(sorted: readonly number[], value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (numberAt(sorted, middle) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Position of the highest set bit of 1…2^53−1. */
function highestBit(amount: number): number {
  const high = Math.floor(amount / 0x1_0000_0000);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(amount);
}

/** 2^exponent for 0…60, by shifts: exact by definition, which `**` is not in ECMAScript. */
function powerOfTwo(exponent: number): number {
  return exponent <= 30 ? 1 << exponent : (1 << 30) * (1 << (exponent - 30));
}

function numberAt(numbers: readonly number[], at: number): number {
  return numbers[at] as number;
}
