import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CircuitBreaker, PATIENCE, Unanswered } from "./circuit-breaker.ts";

const { doubtedMs, confirmedMs, answerMs, triedEveryMs, triedMs } = PATIENCE;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Something that is called, and hangs when told to. */
function world() {
  const state = { hangs: false, probeHangs: false, isRefused: false, calls: 0, probes: 0, given: 0 };
  const circuit = new CircuitBreaker("it");
  const hanging = () => new Promise<never>(() => {});
  const probe = async () => {
    state.probes += 1;
    if (state.isRefused) throw new Error("refused");
    return state.probeHangs ? await hanging() : "pong";
  };
  const work = async (signal: AbortSignal) => {
    state.calls += 1;
    signal.addEventListener("abort", () => {
      state.given += 1;
    });
    if (state.isRefused) throw new Error("refused");
    return state.hangs ? await hanging() : "answer";
  };
  const hang = (hangs: boolean) => Object.assign(state, { hangs, probeHangs: hangs });
  /** What comes of a call, and after how long. */
  const call = async () => {
    const begunMs = Date.now();
    const outcome = await circuit.call(work, probe).catch((error: unknown) => error);
    return { outcome, tookMs: Date.now() - begunMs };
  };
  return { state, hang, call };
}

/** Lets time pass until it is settled. */
async function passing<T>(answer: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return await answer;
}

test("what answers is asked, and nothing else", async () => {
  const { state, call } = world();
  expect(await call()).toEqual({ outcome: "answer", tookMs: 0 });
  expect(state).toMatchObject({ calls: 1, probes: 0 });
});

test("what hangs is waited for once, and let go of", async () => {
  const { state, hang, call } = world();
  hang(true);
  expect(await passing(call())).toEqual({ outcome: expect.any(Unanswered), tookMs: doubtedMs + confirmedMs });
  expect(state.given).toBe(1);
  expect(await call()).toEqual({ outcome: expect.any(Unanswered), tookMs: 0 });
  expect(state.calls).toBe(1);
});

test("while it hangs one call in a second tries whether it is back, and nobody waits for longer than that", async () => {
  const { state, hang, call } = world();
  hang(true);
  await passing(call());
  await vi.advanceTimersByTimeAsync(triedEveryMs);
  const trying = [call(), call()];
  await vi.advanceTimersByTimeAsync(triedMs / 2);
  trying.push(call());
  const tried = await passing(Promise.all(trying));
  expect(tried.map(({ tookMs }) => tookMs)).toEqual([triedMs, triedMs, triedMs / 2]);
  expect(tried.every(({ outcome }) => outcome instanceof Unanswered)).toBe(true);
  expect(await call()).toEqual({ outcome: expect.any(Unanswered), tookMs: 0 });
  expect(state).toMatchObject({ calls: 1, probes: 2 });
});

test("when it is back whoever comes while that is tried is answered, and all after them", async () => {
  const { state, hang, call } = world();
  hang(true);
  await passing(call());
  hang(false);
  expect(await call()).toEqual({ outcome: expect.any(Unanswered), tookMs: 0 });
  await vi.advanceTimersByTimeAsync(triedEveryMs);
  const answered = { outcome: "answer", tookMs: 0 };
  expect(await Promise.all([call(), call()])).toEqual([answered, answered]);
  expect(await call()).toEqual(answered);
  expect(state.probes).toBe(2);
});

test("what takes long while it answers others is not taken for hanging", async () => {
  const { state, call } = world();
  state.hangs = true;
  expect(await passing(call())).toEqual({ outcome: expect.any(Unanswered), tookMs: answerMs - confirmedMs });
  state.hangs = false;
  expect(await call()).toEqual({ outcome: "answer", tookMs: 0 });
  // Nor is it while others hear of it, though the probe does not.
  Object.assign(state, { hangs: true, probeHangs: true });
  const slow = call();
  await vi.advanceTimersByTimeAsync(doubtedMs + confirmedMs / 2);
  state.hangs = false;
  expect(await call()).toEqual({ outcome: "answer", tookMs: 0 });
  await passing(slow);
  expect(await call()).toEqual({ outcome: "answer", tookMs: 0 });
});

test("what refuses is asked each time: that takes no time", async () => {
  const { state, call } = world();
  state.isRefused = true;
  for (const _ of [1, 2, 3]) {
    const { outcome, tookMs } = await call();
    expect(outcome).not.toBeInstanceOf(Unanswered);
    expect(tookMs).toBe(0);
  }
  expect(state).toMatchObject({ calls: 3, probes: 0 });
});

test("what hung, and refuses when it is tried, is asked no sooner", async () => {
  const { state, hang, call } = world();
  hang(true);
  await passing(call());
  await vi.advanceTimersByTimeAsync(triedEveryMs);
  state.isRefused = true;
  expect(await call()).toMatchObject({ outcome: expect.any(Unanswered), tookMs: 0 });
});

test("a clock that is set back does not keep it from being tried", async () => {
  const { hang, call } = world();
  hang(true);
  await passing(call());
  hang(false);
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(await call()).toEqual({ outcome: "answer", tookMs: 0 });
});
