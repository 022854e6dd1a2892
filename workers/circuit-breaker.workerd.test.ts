import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { CircuitBreaker, Unanswered } from "./circuit-breaker.ts";

const { SHARD } = env as unknown as { readonly SHARD: DurableObjectNamespace };
const PATIENCE = { doubtedMs: 20, confirmedMs: 20, answerMs: 2_000, triedEveryMs: 1_000, triedMs: 900 };

/** Calls in the context of an object of that name, whose timers and promises are its own. */
function callIn<T>(name: string, call: () => Promise<T>): Promise<T> {
  return runInDurableObject(SHARD.get(SHARD.idFromName(name)), call);
}

test("whoever comes while another request tries whether it is back hears of it, and goes on in its own context", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const circuit = new CircuitBreaker("it", PATIENCE);
  const hang = () => new Promise<never>(() => {});
  const isOpen = await callIn("one", () => circuit.call(hang, hang).catch((error) => error instanceof Unanswered));
  expect(isOpen).toBe(true);
  /** Of the last round. */
  let probes = 0;
  const slowProbe = () => {
    probes += 1;
    return new Promise((answered) => setTimeout(answered, PATIENCE.triedMs / 10));
  };
  const ask = (name: string) =>
    callIn(name, async () => {
      const answer = await circuit.call(async () => "answer", slowProbe).catch((error: unknown) => error);
      // A timer would be refused in another request's context.
      await new Promise((passed) => setTimeout(passed, 1));
      return answer;
    });
  await vi.waitUntil(async () => {
    probes = 0;
    const answers = await Promise.all(["one", "two", "three"].map(ask));
    return answers.every((answer) => answer === "answer");
  }, 60_000);
  expect(probes).toBe(1);
});
