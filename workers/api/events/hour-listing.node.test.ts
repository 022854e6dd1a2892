import { expect, test } from "vitest";
import { archiveKey, manifestKey } from "../../../shared/archive-key.ts";
import { HOUR_MS } from "../../../shared/window.ts";
import { HourListing, TooManyHours } from "./hour-listing.ts";

const MANIFEST = JSON.stringify({ v: 1, files: [], damaged: [] });

/** A bucket with these keys, a hundred in a listing. */
function listing(hoursMax: number, hoursAListing: number, keys: readonly string[] = []) {
  const asked: string[] = [];
  const list = async ({ startAfter = "" }: R2ListOptions) => {
    asked.push("list");
    const after = keys.filter((key) => key > startAfter).sort();
    const objects = after.slice(0, 100).map((key) => ({ key, size: 1, etag: "e" }));
    return { objects, truncated: after.length > 100, delimitedPrefixes: [] };
  };
  const get = async (key: string) => {
    asked.push(key);
    const bytes = new TextEncoder().encode(MANIFEST);
    return { size: bytes.byteLength, etag: "m", arrayBuffer: async () => bytes.buffer };
  };
  const hours = new HourListing({ list, get } as unknown as R2Bucket, { hoursMax, hoursAListing });
  return { hours, asked };
}

test("an hour is listed once, however often it is asked for", async () => {
  const { hours, asked } = listing(3, 1);
  await hours.objects([0, HOUR_MS]);
  const objects = await hours.objects([HOUR_MS, 2 * HOUR_MS, 0]);
  expect([...objects.keys()]).toEqual([HOUR_MS, 2 * HOUR_MS, 0]);
  expect(asked.length).toBe(3);
});

test("a listing tells of several hours, and only the manifests of those asked for are read", async () => {
  const hourAt = (n: number) => n * HOUR_MS;
  const keys = [0, 1, 5, 6, 7].flatMap((n) => [archiveKey(hourAt(n), "a"), manifestKey(hourAt(n))]);
  const { hours, asked } = listing(10, 6, keys);
  const objects = await hours.objects([hourAt(1), hourAt(2), hourAt(5), hourAt(7)]);
  const namesOf = (n: number) => objects.get(hourAt(n))?.map(({ key }) => key);
  expect([1, 2, 5, 7].map(namesOf)).toEqual([1, 2, 5, 7].map((n) => (n === 2 ? [] : [archiveKey(hourAt(n), "a")])));
  expect(asked.toSorted()).toEqual([..."ll"].map(() => "list").concat([1, 5, 7].map((n) => manifestKey(hourAt(n)))));
  await hours.objects([hourAt(0)]);
  expect(asked.slice(5)).toEqual([manifestKey(0)]);
});

test("more hours than a request may read are refused before one of them is listed", async () => {
  const { hours, asked } = listing(2, 1);
  await hours.objects([0]);
  await expect(hours.objects([0, HOUR_MS, 2 * HOUR_MS])).rejects.toThrow(TooManyHours);
  expect(asked.length).toBe(1);
  await hours.objects([0, HOUR_MS]);
});
