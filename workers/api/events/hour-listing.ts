import { HOUR_MS } from "../../../shared/window.ts";
import { type ArchivedObject, objectsBetween } from "../../aggregate/archived-hours.ts";

const LISTINGS_AT_ONCE = 5;

/** An answer would take more hours of the archive than one may. */
export class TooManyHours extends Error {}

/** What there is to read of hours of the archive, each of which is listed once: for one request, whose readers may share it. */
export class HourListing {
  readonly #bucket: R2Bucket;
  readonly #hoursMax: number;
  readonly #listed = new Map<number, Promise<readonly ArchivedObject[]>>();

  /** Each hour is two calls of the thousand that a request may make: a listing and its manifest. */
  constructor(bucket: R2Bucket, hoursMax: number) {
    this.#bucket = bucket;
    this.#hoursMax = hoursMax;
  }

  /** By hour. Throws `TooManyHours` before any of these is listed. */
  async objects(hoursMs: readonly number[]): Promise<ReadonlyMap<number, readonly ArchivedObject[]>> {
    const more = new Set(hoursMs.filter((hourMs) => !this.#listed.has(hourMs)));
    if (this.#listed.size + more.size > this.#hoursMax) throw new TooManyHours(`more than ${this.#hoursMax} hours`);
    const objects = new Map<number, readonly ArchivedObject[]>();
    for (let at = 0; at < hoursMs.length; at += LISTINGS_AT_ONCE) {
      const some = hoursMs.slice(at, at + LISTINGS_AT_ONCE);
      const lists = await Promise.all(some.map((hourMs) => this.#list(hourMs)));
      for (const [i, hourMs] of some.entries()) objects.set(hourMs, lists[i] ?? []);
    }
    return objects;
  }

  #list(hourMs: number): Promise<readonly ArchivedObject[]> {
    let listed = this.#listed.get(hourMs);
    if (listed === undefined) {
      listed = Array.fromAsync(objectsBetween(this.#bucket, hourMs, hourMs + HOUR_MS));
      this.#listed.set(hourMs, listed);
    }
    return listed;
  }
}
