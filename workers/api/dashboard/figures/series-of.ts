import type { MetricsAnswer, Series } from "../data/answers.ts";

/** The currency shown: the one asked for, the merchant's, or the first there is. */
export function currencyOf(
  answer: MetricsAnswer | undefined,
  wished: string | undefined,
  home: string | undefined,
): string {
  const present = answer?.series.map(({ currency }) => currency) ?? [];
  return (
    [wished, home].find((currency) => currency !== undefined && present.includes(currency)) ??
    present[0] ??
    home ??
    "XXX"
  );
}

export function seriesOf(answer: MetricsAnswer | undefined, currency: string): Series | undefined {
  return answer?.series.find((series) => series.currency === currency);
}
