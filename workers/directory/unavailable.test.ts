import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DIRECTORY_TIMEOUT_MS, DirectoryUnavailable, orUnavailable } from "./unavailable.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a directory that hangs is unavailable after some seconds, and not for ever", async () => {
  const asked = expect(orUnavailable(new Promise(() => {}))).rejects.toThrow(DirectoryUnavailable);
  await vi.advanceTimersByTimeAsync(DIRECTORY_TIMEOUT_MS);
  await asked;
});

test("one that fails is unavailable at once, with the cause; one that answers leaves no timer behind", async () => {
  const cause = new Error("D1 is down");
  await expect(orUnavailable(Promise.reject(cause))).rejects.toMatchObject({ cause });
  expect(await orUnavailable(Promise.resolve(7))).toBe(7);
  expect(vi.getTimerCount()).toBe(0);
});
