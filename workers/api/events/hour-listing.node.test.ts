import { expect, test } from "vitest";
import { HOUR_MS } from "../../../shared/window.ts";
import { HourListing, TooManyHours } from "./hour-listing.ts";

function listing(hoursMax: number) {
  const listed: string[] = [];
  const list = async ({ startAfter }: R2ListOptions) => {
    listed.push(startAfter ?? "");
    return { objects: [], truncated: false, delimitedPrefixes: [] };
  };
  return { hours: new HourListing({ list } as unknown as R2Bucket, hoursMax), listed };
}

test("an hour is listed once, however often it is asked for", async () => {
  const { hours, listed } = listing(3);
  await hours.objects([0, HOUR_MS]);
  const objects = await hours.objects([HOUR_MS, 2 * HOUR_MS, 0]);
  expect([...objects.keys()]).toEqual([HOUR_MS, 2 * HOUR_MS, 0]);
  expect(listed.length).toBe(3);
});

test("more hours than a request may read are refused before one of them is listed", async () => {
  const { hours, listed } = listing(2);
  await hours.objects([0]);
  await expect(hours.objects([0, HOUR_MS, 2 * HOUR_MS])).rejects.toThrow(TooManyHours);
  expect(listed.length).toBe(1);
  await hours.objects([0, HOUR_MS]);
});
