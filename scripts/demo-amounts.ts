import type { DemoCurrency, DemoMerchant } from "./demo-merchants.ts";
import { shopTraits } from "./demo-shop-kinds.ts";
import { logNormal, type Random } from "./seeded-random.ts";

type PriceLevel = {
  /** What costs a yen in Japan costs this many minor units there: price levels, not exchange rates. */
  minorPerYen: number;
  /** At a counter prices are multiples of this. */
  counterStep: number;
  /** On a shelf they are multiples of this … */
  shelfStep: number;
  /** … less this: 598 yen, 4.99 euros, 199 rupees. */
  shelfBelow: number;
};

const PRICE_LEVELS: Readonly<Record<DemoCurrency, PriceLevel>> = {
  JPY: { minorPerYen: 1, counterStep: 10, shelfStep: 10, shelfBelow: 2 },
  EUR: { minorPerYen: 0.72, counterStep: 10, shelfStep: 50, shelfBelow: 1 },
  GBP: { minorPerYen: 0.66, counterStep: 5, shelfStep: 50, shelfBelow: 1 },
  USD: { minorPerYen: 0.85, counterStep: 25, shelfStep: 50, shelfBelow: 1 },
  INR: { minorPerYen: 28, counterStep: 500, shelfStep: 1000, shelfBelow: 100 },
};

/** What a customer pays at a shop, in minor units: log-normal around what its kind costs there, rounded as prices there are. */
export function demoAmount(random: Random, { kind, currency }: DemoMerchant): number {
  const { medianYen, spread, pricing } = shopTraits(kind);
  const { minorPerYen, counterStep, shelfStep, shelfBelow } = PRICE_LEVELS[currency];
  const amount = logNormal(random, medianYen * minorPerYen, spread);
  const step = pricing === "shelf" ? shelfStep : counterStep;
  const rounded = Math.max(1, Math.round(amount / step)) * step;
  return pricing === "shelf" ? rounded - shelfBelow : rounded;
}

/** Part of an amount, as when one of several things is brought back; never nothing, never more than all. */
export function demoPartOf(random: Random, amount: number, { currency }: DemoMerchant): number {
  const { counterStep } = PRICE_LEVELS[currency];
  const part = Math.ceil((amount * (0.2 + 0.6 * random())) / counterStep) * counterStep;
  return Math.min(part, amount);
}

/** Points are worth a yen each, wherever they are earned or used. */
export function inPoints(amount: number, { currency }: DemoMerchant): number {
  return Math.floor(amount / PRICE_LEVELS[currency].minorPerYen);
}
