import { afterEach, expect, test, vi } from "vitest";
import { Abandoned, SHARED_WAIT_MS_MAX, SharedWork } from "./shared-work.ts";

afterEach(() => void vi.useRealTimers());

const alone = () => {};

test("a failure is told to those who waited, and the next one tries anew", async () => {
  const work = new SharedWork<string>();
  let tries = 0;
  const fails = async () => {
    tries += 1;
    throw new Error("away");
  };
  const all = await Promise.allSettled([1, 2, 3].map(() => work.run("a", fails, alone)));
  expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(tries).toBe(1);
  expect(await work.run("a", async () => "here", alone)).toEqual({ outcome: "here", isOwn: true });
});

test("work that is abandoned is done by the first of those who waited, for all of them", async () => {
  const work = new SharedWork<string>();
  const left = Promise.withResolvers<string>();
  const first = work.run("a", () => left.promise, alone);
  const done: number[] = [];
  const others = [1, 2, 3].map((who) =>
    work.run(
      "a",
      async () => {
        done.push(who);
        return `of ${who}`;
      },
      alone,
    ),
  );
  left.reject(new Abandoned("the reader has left"));
  await expect(first).rejects.toThrow(Abandoned);
  expect(await Promise.all(others)).toEqual([1, 2, 3].map((who) => ({ outcome: "of 1", isOwn: who === 1 })));
  expect(done).toEqual([1]);
});

test("nobody waits for others longer than so much in all, however many of them leave", async () => {
  vi.useFakeTimers();
  const work = new SharedWork<string>();
  const leave: (() => void)[] = [];
  const leaves = () =>
    new Promise<string>((_, reject) => leave.push(() => reject(new Abandoned("the reader has left"))));
  const first = work.run("a", leaves, alone).catch(() => {});
  const second = work.run("a", leaves, alone).catch(() => {});
  const last = work.run("a", async () => "own", alone);
  await vi.advanceTimersByTimeAsync(SHARED_WAIT_MS_MAX - 1_000);
  leave[0]?.();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await last).toEqual({ outcome: "own", isOwn: true });
  leave[1]?.();
  await Promise.all([first, second]);
});

test("what is different is not shared", async () => {
  const work = new SharedWork<string>();
  const both = await Promise.all(["a", "b"].map((key) => work.run(key, async () => key, alone)));
  expect(both.map(({ outcome }) => outcome)).toEqual(["a", "b"]);
});

test("work is kept alive beyond the request that does it, and its failure surprises nobody", async () => {
  const kept: Promise<unknown>[] = [];
  const work = new SharedWork<string>();
  const failing = work.run(
    "a",
    async () => Promise.reject(new Error("away")),
    (promise) => kept.push(promise),
  );
  await expect(failing).rejects.toThrow("away");
  expect(kept).toHaveLength(1);
  await Promise.all(kept);
});

test("who waits for work that was ended with its request does it itself in the end", async () => {
  vi.useFakeTimers();
  const work = new SharedWork<string>();
  void work.run("a", () => new Promise(() => {}), alone);
  const waiting = work.run("a", async () => "mine", alone);
  await vi.advanceTimersByTimeAsync(SHARED_WAIT_MS_MAX);
  expect(await waiting).toEqual({ outcome: "mine", isOwn: true });
});
