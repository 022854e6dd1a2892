export type ShopKind = keyof typeof KINDS;

type KindTraits = {
  /** Payments a minute of an ordinary shop, relative to other kinds, at each local hour from 0 to 23. */
  hours: readonly number[];
  /** Factor for each day of the week, Sunday first. */
  weekdays: readonly number[];
  /** Factor for each month, January first; a year comes to 12 or so. */
  months: readonly number[];
  /** Median amount in yen, and how widely amounts spread (standard deviation of the logarithm). */
  medianYen: number;
  spread: number;
  /** `counter`: round prices. `shelf`: the prices that end just below a round one. */
  pricing: "counter" | "shelf";
};

/** What makes a kind of shop recognisable in its numbers. The curves are made up, after when such shops are full. */
const KINDS = {
  cafe: {
    hours: [0, 0, 0, 0, 0, 0, 3, 8, 10, 7, 5, 5, 6, 5, 5, 5, 4, 3, 2, 1, 0.5, 0, 0, 0],
    weekdays: [1.15, 0.9, 0.9, 0.95, 0.95, 1.05, 1.25],
    months: [0.98, 0.97, 1, 1.02, 1.03, 1.01, 1.04, 1.02, 0.99, 0.99, 0.98, 1],
    medianYen: 620,
    spread: 0.4,
    pricing: "counter",
  },
  ramen: {
    hours: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 5, 7, 4, 1, 0.5, 1, 3, 8, 10, 9, 7, 5, 3],
    weekdays: [1.2, 0.85, 0.9, 0.9, 1, 1.3, 1.3],
    months: [1.12, 1.1, 1.05, 1, 0.95, 0.92, 0.86, 0.86, 0.95, 1.02, 1.08, 1.12],
    medianYen: 1080,
    spread: 0.3,
    pricing: "counter",
  },
  izakaya: {
    hours: [3, 1.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 0.5, 0, 0, 1, 3, 6, 8, 9, 9, 8, 5],
    weekdays: [0.8, 0.7, 0.8, 0.9, 1.1, 1.7, 1.5],
    months: [0.92, 0.9, 1.08, 1.05, 0.97, 0.97, 1.03, 1, 0.95, 0.97, 1, 1.3],
    medianYen: 3900,
    spread: 0.55,
    pricing: "counter",
  },
  bookshop: {
    hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 4, 5, 4, 4, 5, 5, 6, 6, 4, 2, 0.5, 0, 0],
    weekdays: [1.5, 0.8, 0.8, 0.85, 0.85, 1, 1.6],
    months: [0.97, 0.95, 1.08, 1.06, 0.97, 0.95, 0.98, 1, 0.97, 0.98, 1.02, 1.25],
    medianYen: 1650,
    spread: 0.6,
    pricing: "shelf",
  },
  pharmacy: {
    hours: [0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 1, 3, 6, 7, 6, 5, 4, 5, 5, 6, 7, 6, 4, 2, 1, 0.6, 0.4],
    weekdays: [0.6, 1.2, 1.1, 1.05, 1, 1.05, 0.9],
    months: [1.1, 1.12, 1.12, 1.04, 0.95, 0.95, 0.94, 0.92, 0.95, 0.97, 1, 1.08],
    medianYen: 1480,
    spread: 0.75,
    pricing: "shelf",
  },
  convenience: {
    hours: [3, 2, 1.5, 1.3, 1.5, 2.5, 5, 9, 8, 5, 5, 7, 10, 7, 5, 5, 6, 8, 9, 8, 7, 6, 5, 4],
    weekdays: [0.9, 1, 1, 1, 1.05, 1.15, 1],
    months: [0.95, 0.95, 0.98, 1, 1.01, 1, 1.07, 1.08, 1.02, 1, 0.97, 0.99],
    medianYen: 580,
    spread: 0.65,
    pricing: "shelf",
  },
  grocery: {
    hours: [0, 0, 0, 0, 0, 0, 0, 0.5, 2, 4, 6, 5, 4, 4, 5, 7, 9, 10, 9, 6, 3, 1, 0, 0],
    weekdays: [1.3, 0.95, 1.1, 0.95, 0.95, 1, 1.35],
    months: [0.97, 0.96, 0.98, 0.99, 1, 0.99, 1, 1.01, 0.99, 0.99, 1, 1.16],
    medianYen: 2300,
    spread: 0.65,
    pricing: "shelf",
  },
  bakery: {
    hours: [0, 0, 0, 0, 0, 1, 5, 10, 9, 7, 6, 6, 5, 4, 4, 5, 5, 4, 2, 0.5, 0, 0, 0, 0],
    weekdays: [1.35, 0.7, 0.9, 0.95, 1, 1.05, 1.5],
    months: [1, 1, 1.02, 1.02, 1, 0.97, 0.94, 0.94, 0.99, 1.02, 1.03, 1.1],
    medianYen: 780,
    spread: 0.5,
    pricing: "counter",
  },
  bento: {
    hours: [0, 0, 0, 0, 0, 0, 1, 3, 3, 2, 4, 10, 12, 6, 2, 1, 1, 3, 4, 3, 1, 0, 0, 0],
    weekdays: [0.3, 1.15, 1.2, 1.2, 1.2, 1.2, 0.5],
    months: [0.95, 0.97, 1.02, 1.05, 1.03, 1, 0.98, 0.92, 1, 1.03, 1.02, 0.98],
    medianYen: 690,
    spread: 0.3,
    pricing: "counter",
  },
  florist: {
    hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 3, 3, 2, 1, 0, 0, 0, 0],
    weekdays: [1.4, 0.6, 0.7, 0.8, 0.9, 1.4, 1.6],
    months: [0.85, 0.95, 1.25, 1.05, 1.4, 0.95, 0.8, 0.9, 1, 0.85, 0.9, 1.2],
    medianYen: 2800,
    spread: 0.55,
    pricing: "counter",
  },
  clothing: {
    hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0.2, 1, 2, 2, 2.5, 3, 3, 3, 2.5, 2, 1, 0, 0, 0, 0],
    weekdays: [1.8, 0.6, 0.6, 0.7, 0.8, 1, 1.9],
    months: [1.15, 0.85, 1, 1.02, 0.98, 0.95, 1.05, 0.9, 0.95, 1.03, 1.05, 1.25],
    medianYen: 8900,
    spread: 0.8,
    pricing: "shelf",
  },
  electronics: {
    hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 3, 4, 4, 5, 5, 5, 5, 5, 5, 4, 2, 0.5, 0, 0],
    weekdays: [1.6, 0.75, 0.75, 0.8, 0.85, 1.1, 1.7],
    months: [1.02, 0.9, 1.08, 0.97, 0.93, 0.97, 1.03, 0.97, 0.97, 0.95, 1.08, 1.4],
    medianYen: 4200,
    spread: 1.1,
    pricing: "shelf",
  },
  bathhouse: {
    hours: [1, 0.2, 0, 0, 0, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 8, 6, 3],
    weekdays: [1.4, 0.9, 0.9, 0.9, 0.9, 1.1, 1.4],
    months: [1.12, 1.1, 1.04, 1, 0.95, 0.92, 0.88, 0.9, 0.95, 1, 1.05, 1.12],
    medianYen: 550,
    spread: 0.25,
    pricing: "counter",
  },
} satisfies Record<string, KindTraits>;

export function shopTraits(kind: ShopKind): KindTraits {
  return KINDS[kind];
}

/**
 * How busy an ordinary shop of a kind is at a moment of its own day, from 0 (shut).
 * `weekday` 0 is Sunday, `hour` may have a fraction: the curve is straight between the hours.
 */
export function busyness(kind: ShopKind, weekday: number, hour: number): number {
  const { hours, weekdays } = shopTraits(kind);
  const whole = Math.floor(hour);
  const from = hours[whole % 24] ?? 0;
  const to = hours[(whole + 1) % 24] ?? 0;
  return (from + (to - from) * (hour - whole)) * (weekdays[weekday] ?? 1);
}
