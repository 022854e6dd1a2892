import { ageBand } from "../shared/age-band.ts";
import type { DemoMerchant } from "./demo-merchants.ts";
import type { UserInput } from "./event-input.ts";
import { integerBetween, pick, pickByWeight, type Random, randomId, seededRandom } from "./seeded-random.ts";

/** Payers without the app: only the till is known. */
const WALK_IN_SHARE = 0.12;
const FOREIGN_SHARE = 0.06;
const COUNTRIES = ["JP", "KR", "TW", "US", "GB", "DE", "FR", "IN", "AU", "BR"];
/** Payments by those who come again and again; the rest is by people who were never seen before, mostly. */
const REGULARS_SHARE = 0.45;
/** Customers for each unit of a merchant's popularity, enough that nobody drinks twenty coffees a day. */
const REGULARS = 5_000;
const OCCASIONAL = 40_000;
/** Ages are counted from here, so that birthdays never move. */
const DEMO_YEAR = 2026;
/** Of the regulars; the others are silver, and who is no regular is bronze. */
const GOLD_SHARE = 0.25;

/** Who pays: a walk-in, or somebody of the merchant's own customers, of whom the regulars come most often. */
export function demoUser(random: Random, seed: string, merchant: DemoMerchant, atMs: number): UserInput {
  const isWalkIn = random() < WALK_IN_SHARE;
  const isRegular = random() < REGULARS_SHARE;
  const place = random();
  if (isWalkIn) return { device: "pos" };
  const number = Math.floor(place * (isRegular ? REGULARS : OCCASIONAL) * merchant.popularity);
  const grade = !isRegular ? "bronze" : place < GOLD_SHARE ? "gold" : "silver";
  return { ...customer(seededRandom(seed, merchant.merchant_id, grade, number), merchant, atMs), grade };
}

/** The same `random` makes the same person every time, with the same birthday and phone. */
function customer(random: Random, merchant: DemoMerchant, atMs: number): UserInput {
  const id = `u_${randomId(random, 12)}`;
  const gender = pickByWeight(random, { female: 49, male: 46, other: 5 });
  const country = random() < FOREIGN_SHARE ? pick(random, COUNTRIES) : merchant.country;
  const device = pickByWeight(random, merchant.country === "JP" ? { ios: 62, android: 38 } : { ios: 45, android: 55 });
  const born = birthday(random);
  const age = random();
  return {
    id,
    gender,
    country,
    device,
    ...(age < 0.15 ? { date_of_birth: born } : age < 0.92 ? bandOf(born, atMs) : {}),
  };
}

/** Somebody who was between 16 and 84 in the demo's first year, around forty more often than not. */
function birthday(random: Random): string {
  const mean = (random() + random() + random()) / 3;
  const year = DEMO_YEAR - Math.round(16 + 68 * mean ** 1.3);
  const month = String(integerBetween(random, 1, 12)).padStart(2, "0");
  return `${year}-${month}-${String(integerBetween(random, 1, 28)).padStart(2, "0")}`;
}

function bandOf(born: string, atMs: number): Pick<UserInput, "age_band"> {
  const band = ageBand(born, atMs);
  return band === undefined ? {} : { age_band: band };
}
