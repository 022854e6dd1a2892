import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { CircuitBreaker, Unanswered } from "./circuit-breaker.ts";

const { SHARD } = env as unknown as { readonly SHARD: DurableObjectNamespace };
/** Nobody is given up while the test waits; when it is tried again the test's own clock says. */
const PATIENCE = { doubtedMs: 20, confirmedMs: 20, answerMs: 600_000, triedEveryMs: 1_000, triedMs: 600_000 };
const ASKING = ["one", "two", "three"];

/** Calls in the context of an object of that name, whose timers and promises are its own. */
function callIn<T>(name: string, call: () => Promise<T>): Promise<T> {
  return runInDurableObject(SHARD.get(SHARD.idFromName(name)), call);
}

test("whoever comes while another request tries whether it is back hears of it, and goes on in its own context", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  let nowMs = 0;
  const circuit = new CircuitBreaker("it", PATIENCE, () => nowMs);
  const hang = () => new Promise<never>(() => {});
  const isOpen = await callIn("one", () => circuit.call(hang, hang).catch((error) => error instanceof Unanswered));
  expect(isOpen).toBe(true);
  nowMs += PATIENCE.triedEveryMs;
  let probes = 0;
  let waiting = 0;
  /** A timer would be refused in another request's context. */
  const moment = () => new Promise((passed) => setTimeout(passed, 1));
  /** Answers when all wait for it. */
  const slowProbe = async () => {
    probes += 1;
    while (waiting < ASKING.length) await moment();
  };
  const ask = (name: string) =>
    callIn(name, async () => {
      const called = circuit.call(async () => "answer", slowProbe).catch((error: unknown) => error);
      waiting += 1;
      const answer = await called;
      await moment();
      return answer;
    });
  expect(await Promise.all(ASKING.map(ask))).toEqual(ASKING.map(() => "answer"));
  expect(probes).toBe(1);
});
