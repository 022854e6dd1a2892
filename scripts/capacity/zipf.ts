/** Ranks summed one by one; beyond, the sum is an integral, right to six digits. */
const EXACT_RANKS_MAX = 100_000;
/** Steps of Simpson's rule over the logarithm of the rank. */
const STEPS = 2_000;

/** Merchants by rank, the k-th of which has events in proportion to `k^-exponent`. */
export interface MerchantLaw {
  readonly merchants: number;
  readonly exponent: number;
  /** The sum of `k^-exponent` over all of them. */
  readonly norm: number;
}

export function merchantLaw(merchants: number, exponent: number): MerchantLaw {
  return { merchants, exponent, norm: sumOverRanks(merchants, (rank) => rank ** -exponent) };
}

/** Share of all events that the largest merchant has. */
export function largestShare({ norm }: MerchantLaw): number {
  return 1 / norm;
}

/** How many merchants are expected to have at least one of so many events. */
export function activeMerchants({ merchants, exponent, norm }: MerchantLaw, events: number): number {
  if (events === 0) return 0;
  return sumOverRanks(merchants, (rank) => -Math.expm1(events * Math.log1p(-(rank ** -exponent) / norm)));
}

/** How many merchants are expected to have more than `few` of so many events, each merchant's number Poisson about its mean. */
export function busyMerchants({ merchants, exponent, norm }: MerchantLaw, events: number, few: number): number {
  return sumOverRanks(merchants, (rank) => moreThan(few, (events * rank ** -exponent) / norm));
}

/** The chance of more than `few` where `mean` are expected. */
function moreThan(few: number, mean: number): number {
  let chance = Math.exp(-mean);
  let most = chance;
  for (let count = 1; count <= few; count++) {
    chance *= mean / count;
    most += chance;
  }
  return Math.max(0, 1 - most);
}

/** The sum of a smooth `term` over the ranks 1 to `ranks`. */
function sumOverRanks(ranks: number, term: (rank: number) => number): number {
  const exact = Math.min(ranks, EXACT_RANKS_MAX);
  let sum = 0;
  for (let rank = 1; rank <= exact; rank++) sum += term(rank);
  if (ranks === exact) return sum;
  // The integral from half a rank before the first to half a rank behind the last one, in x = ln(rank).
  const from = Math.log(exact + 0.5);
  const width = (Math.log(ranks + 0.5) - from) / STEPS;
  let area = 0;
  for (let step = 0; step <= STEPS; step++) {
    const rank = Math.exp(from + step * width);
    const weight = step === 0 || step === STEPS ? 1 : step % 2 === 1 ? 4 : 2;
    area += weight * term(rank) * rank;
  }
  return sum + (area * width) / 3;
}
