import { HOUR_MS } from "../../../shared/window.ts";
import {
  type ArchivedHour,
  type ArchivedObject,
  countingObjects,
  hoursBetween,
} from "../../aggregate/archived-hours.ts";

const CALLS_AT_ONCE = 5;

/** An answer would take more hours of the archive than one may. */
export class TooManyHours extends Error {}

export interface ListingLimits {
  readonly hoursMax: number;
  /** Hours that one listing tells of, from a multiple of as many on: a call for each thousand objects in them. */
  readonly hoursAListing: number;
}

/** What there is to read of hours of the archive, each of which is listed once: for one request, whose readers may share it. */
export class HourListing {
  readonly #bucket: R2Bucket;
  readonly #limits: ListingLimits;
  readonly #listings = new Map<number, Promise<ReadonlyMap<number, ArchivedHour>>>();
  readonly #hours = new Map<number, Promise<readonly ArchivedObject[]>>();

  /** Each hour is up to two calls of the thousand that a request may make: a share of a listing, and its manifest. */
  constructor(bucket: R2Bucket, limits: ListingLimits) {
    this.#bucket = bucket;
    this.#limits = limits;
  }

  /** By hour. Throws `TooManyHours` before any of these is listed. */
  async objects(hoursMs: readonly number[]): Promise<ReadonlyMap<number, readonly ArchivedObject[]>> {
    const { hoursMax } = this.#limits;
    const more = new Set(hoursMs.filter((hourMs) => !this.#hours.has(hourMs)));
    if (this.#hours.size + more.size > hoursMax) throw new TooManyHours(`more than ${hoursMax} hours`);
    await aFewAtOnce([...new Set([...more].map((hourMs) => this.#listingOf(hourMs)))], (startMs) =>
      this.#list(startMs),
    );
    const lists = await aFewAtOnce(hoursMs, (hourMs) => this.#objectsOf(hourMs));
    return new Map(hoursMs.map((hourMs, at) => [hourMs, lists[at] ?? []]));
  }

  /** The start of the listing that tells of an hour. */
  #listingOf(hourMs: number): number {
    return hourMs - (hourMs % (this.#limits.hoursAListing * HOUR_MS));
  }

  #list(startMs: number): Promise<ReadonlyMap<number, ArchivedHour>> {
    let listing = this.#listings.get(startMs);
    if (listing === undefined) {
      listing = hoursWithin(this.#bucket, startMs, startMs + this.#limits.hoursAListing * HOUR_MS);
      this.#listings.set(startMs, listing);
    }
    return listing;
  }

  #objectsOf(hourMs: number): Promise<readonly ArchivedObject[]> {
    let objects = this.#hours.get(hourMs);
    if (objects === undefined) {
      objects = this.#list(this.#listingOf(hourMs)).then(async (hours) => {
        const hour = hours.get(hourMs);
        return hour === undefined ? [] : await countingObjects(this.#bucket, hour);
      });
      this.#hours.set(hourMs, objects);
    }
    return objects;
  }
}

async function hoursWithin(bucket: R2Bucket, fromMs: number, toMs: number): Promise<ReadonlyMap<number, ArchivedHour>> {
  const hours = await Array.fromAsync(hoursBetween(bucket, fromMs, toMs));
  return new Map(hours.map((hour) => [hour.hourMs, hour]));
}

async function aFewAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += CALLS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + CALLS_AT_ONCE).map(work))));
  }
  return results;
}
