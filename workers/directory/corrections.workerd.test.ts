import { beforeAll, expect, test } from "vitest";
import { announceLateWindows, dueLateWindows, forgetLateWindows, noteLateWindows } from "../aggregate/late-windows.ts";
import { correctionsAfter, forgetCorrections, lastCorrectionOf, noteCorrection } from "./corrections.ts";
import { openDirectory } from "./test-directory.ts";

const DAY_MS = 86_400_000;
const NOON_MS = Date.UTC(2031, 2, 5, 12);

let directory: D1Database;
beforeAll(async () => {
  directory = await openDirectory();
});

/** Each test begins where the last one ended. */
async function lastSeq(): Promise<number> {
  return (await correctionsAfter(directory, 0, 1))[0]?.seq ?? 0;
}

test("corrections are told in order, each merchant once a note, and up to a limit the newest of them", async () => {
  const before = await lastSeq();
  await noteCorrection(directory, ["a", "b", "a"], NOON_MS);
  await noteCorrection(directory, null, NOON_MS + 1);
  const all = await correctionsAfter(directory, before, 10);
  expect(all.map(({ merchantId }) => merchantId)).toEqual([null, "b", "a"]);
  expect(all.map(({ seq }) => seq - before)).toEqual([3, 2, 1]);
  expect(await correctionsAfter(directory, before, 2)).toEqual(all.slice(0, 2));
  expect(await correctionsAfter(directory, before + 3, 10)).toEqual([]);
});

test("a merchant's last correction is its own or all's, whichever was later", async () => {
  await noteCorrection(directory, null, NOON_MS);
  const ofAll = await lastSeq();
  await noteCorrection(directory, ["a"], NOON_MS);
  expect(await lastCorrectionOf(directory, "a")).toBe(ofAll + 1);
  expect(await lastCorrectionOf(directory, "never heard of")).toBe(ofAll);
});

test("what is old is forgotten, and its numbers are never used again: an answer that has it must not be taken for one that has the next", async () => {
  await noteCorrection(directory, ["a"], NOON_MS);
  const last = await lastSeq();
  const { forgotten } = await forgetCorrections(directory, NOON_MS + 36 * DAY_MS);
  expect(forgotten).toBeGreaterThan(0);
  expect(await lastSeq()).toBe(0);
  await noteCorrection(directory, ["a"], NOON_MS + 36 * DAY_MS);
  expect(await lastSeq()).toBe(last + 1);
  expect(await forgetCorrections(directory, NOON_MS + 37 * DAY_MS)).toEqual({ forgotten: 0 });
});

test("late windows correct their merchants when they are noted, and again when they are rebuilt", async () => {
  const before = await lastSeq();
  const startMs = NOON_MS - 3 * DAY_MS;
  const windows = [startMs, startMs + 600_000].map((startMs) => ({ merchantId: "late", startMs }));
  await noteLateWindows(directory, windows, NOON_MS);
  expect(await lastCorrectionOf(directory, "late")).toBe(before + 1);
  const due = await dueLateWindows(directory, { windowsMax: 10, hoursMax: 10, idBytesMax: 1_000, nowMs: NOON_MS });
  expect(due).toHaveLength(2);
  await forgetLateWindows(directory, due, NOON_MS + 60_000);
  expect(await lastCorrectionOf(directory, "late")).toBe(before + 2);
});

test("a window that is announced as late corrects its merchant at once, and is rebuilt when its events are archived, or after a while", async () => {
  const before = await lastSeq();
  const windows = [1, 2].map((n) => ({ merchantId: "announced", startMs: NOON_MS - n * DAY_MS }));
  await announceLateWindows(directory, windows, NOON_MS);
  expect(await lastCorrectionOf(directory, "announced")).toBe(before + 1);
  const due = async (nowMs: number) => {
    const limits = { windowsMax: 10, hoursMax: 10, idBytesMax: 1_000, nowMs };
    return (await dueLateWindows(directory, limits)).map(({ startMs }) => startMs);
  };
  expect(await due(NOON_MS + 10_000)).toEqual([]);
  await noteLateWindows(directory, windows.slice(0, 1), NOON_MS + 10_000);
  expect(await due(NOON_MS + 10_000)).toEqual([NOON_MS - DAY_MS]);
  await announceLateWindows(directory, windows, NOON_MS + 11_000);
  expect(await due(NOON_MS + 11_000)).toEqual([NOON_MS - DAY_MS]);
  expect(await due(NOON_MS + 15 * 60_000)).toHaveLength(2);
});
