import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetAnswers, known, listen, refresh, renew } from "./kept-answers.ts";
import { whenSignedOut } from "./request.ts";

interface Asked {
  readonly path: string;
  readonly signal: AbortSignal | null | undefined;
  readonly isPastCaches: boolean;
  readonly answer: (body: unknown, status?: number) => void;
  readonly fail: () => void;
}

let asked: Asked[] = [];
const AGE_MS = 60_000;
const WAIT_MS_MAX = 120_000;

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", (path: string, { signal, headers }: RequestInit) => {
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      const answer = (body: unknown, status = 200) => resolve(Response.json(body, { status }));
      const isPastCaches = new Headers(headers).get("Cache-Control") === "no-cache";
      asked.push({ path, signal, isPastCaches, answer, fail: () => reject(new TypeError("no network")) });
    });
  });
});

afterEach(() => {
  forgetAnswers();
  vi.unstubAllGlobals();
});

const changed = (path: string) => vi.waitFor(() => expect(known({ path }).isLoading).toBe(false), WAIT_MS_MAX);

test("an answer is kept: whoever asks again has it at once, and nothing is requested until it is old", async () => {
  listen({ path: "/a" }, AGE_MS, () => {})();
  const leave = listen({ path: "/a" }, AGE_MS, () => {});
  asked.at(-1)?.answer({ net: 1 });
  await changed("/a");
  leave();
  const requests = asked.length;
  listen({ path: "/a" }, AGE_MS, () => {})();
  expect(known({ path: "/a" }).answer).toEqual({ net: 1 });
  expect(asked.length).toBe(requests);
  listen({ path: "/a" }, -1, () => {})();
  expect(asked.length).toBe(requests + 1);
});

test("a request that nobody waits for any more is taken back, and does not stand in the way of the next", async () => {
  const leave = listen({ path: "/b" }, AGE_MS, () => {});
  leave();
  expect(asked[0]?.signal?.aborted).toBe(true);
  listen({ path: "/b" }, AGE_MS, () => {});
  expect(asked.length).toBe(2);
  asked[1]?.answer({ net: 2 });
  await changed("/b");
  expect(known({ path: "/b" }).answer).toEqual({ net: 2 });
});

test("what changed while it was asked for is asked for once more, past caches, however many changes there were", async () => {
  listen({ path: "/changing" }, AGE_MS, () => {});
  renew({ path: "/changing" });
  renew({ path: "/changing" });
  expect(asked.map(({ isPastCaches }) => isPastCaches)).toEqual([false]);
  asked[0]?.answer({ net: 1 });
  await vi.waitFor(() => expect(asked).toHaveLength(2), WAIT_MS_MAX);
  expect(known({ path: "/changing" })).toMatchObject({ answer: { net: 1 }, isLoading: true });
  asked[1]?.answer({ net: 2 });
  await changed("/changing");
  expect(known({ path: "/changing" }).answer).toEqual({ net: 2 });
  expect(asked.map(({ isPastCaches }) => isPastCaches)).toEqual([false, true]);
});

test("what has changed is asked for by whoever comes next, when nobody has waited for it", async () => {
  const leave = listen({ path: "/left" }, AGE_MS, () => {});
  asked[0]?.answer({ net: 1 });
  await changed("/left");
  renew({ path: "/left" });
  leave();
  expect(asked[1]?.signal?.aborted).toBe(true);
  listen({ path: "/left" }, AGE_MS, () => {});
  expect(asked).toHaveLength(3);
});

test("when a newer answer cannot be had the older one stays, with the reason", async () => {
  listen({ path: "/c" }, AGE_MS, () => {});
  asked[0]?.answer({ net: 3 });
  await changed("/c");
  refresh({ path: "/c" });
  asked[1]?.fail();
  await changed("/c");
  expect(known({ path: "/c" })).toMatchObject({ answer: { net: 3 }, failure: { reason: "unreachable" } });
  refresh({ path: "/c" });
  asked[2]?.answer({ code: "history_unavailable", detail: "away" }, 503);
  await changed("/c");
  expect(known({ path: "/c" }).failure).toEqual({
    reason: "refused",
    status: 503,
    code: "history_unavailable",
    detail: "away",
  });
});

test("a session that has ended is told of, and nothing is forgotten but by whoever forgets", async () => {
  const signedOut = vi.fn();
  whenSignedOut(signedOut);
  listen({ path: "/d" }, AGE_MS, () => {});
  asked[0]?.answer({ code: "unauthorized" }, 401);
  await changed("/d");
  expect(signedOut).toHaveBeenCalledOnce();
  forgetAnswers();
  expect(known({ path: "/d" }).failure).toBeUndefined();
});

test("once anything is answered, what could not be asked for is asked again", async () => {
  listen({ path: "/e" }, AGE_MS, () => {});
  asked[0]?.fail();
  await changed("/e");
  listen({ path: "/f" }, AGE_MS, () => {});
  asked[1]?.answer({ net: 6 });
  await changed("/f");
  expect(asked.map(({ path }) => path)).toEqual(["/e", "/f", "/e"]);
});
