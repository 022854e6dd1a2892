import { expect, test, vi } from "vitest";
import type { Env } from "../../workers/aggregate/env.ts";
import { bytesOf, payments } from "../../workers/aggregate/sample-payments.ts";
import { Slice } from "../../workers/aggregate/slice.ts";
import { Chance } from "./chance.ts";
import { Doubts } from "./doubts.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedObject } from "./simulated-object.ts";
import { Weather } from "./weather.ts";

vi.mock("cloudflare:workers", async () => await import("../cloudflare-workers.ts"));

const settings = {
  CLICKHOUSE_URL: "http://history",
  CLICKHOUSE_USER: "writer",
  CLICKHOUSE_PASSWORD: "",
  CLICKHOUSE_DATABASE: "tally",
  IDENTITY_KEY: "00".repeat(16),
  CORRECTION_DELAY_MS: "0",
  LATE_DELAY_MS: "0",
} as unknown as Env;

function startObject() {
  const scheduler = new Scheduler(Date.UTC(2031, 2, 5, 12));
  const chance = new Chance(1);
  const weather = new Weather(chance, scheduler);
  weather.calmDown();
  const violations: Error[] = [];
  const object = new SimulatedObject({
    name: "shard-0",
    id: "5a".repeat(32),
    scheduler,
    chance,
    weather,
    doubts: new Doubts(
      () => scheduler.nowMs,
      () => {},
    ),
    env: () => settings,
    trace: () => {},
    onViolation: (violation) => violations.push(violation),
  });
  const apply = async (name: string) => {
    const answer = object.call("apply", [bytesOf(payments(name, 2))]).then(
      (statuses) => [...(statuses as Uint8Array)],
      (error: unknown) => String(error),
    );
    await scheduler.advance(scheduler.nowMs + 100, () => {});
    return await answer;
  };
  return { object, scheduler, apply, violations };
}

test("a batch that cannot be counted to its end leaves no row behind, which every start after it would stumble over", async () => {
  const { object, apply, violations } = startObject();
  const broken = vi.spyOn(Slice.prototype, "count").mockImplementation(() => {
    throw new Error("a bug");
  });
  expect(await apply("a")).toContain("a bug");
  expect(object.storage.rows().get("journal") ?? 0).toBe(0);
  broken.mockRestore();
  expect(await apply("a")).toEqual([0, 0]);
  expect(violations).toEqual([]);
});

test("what was not durable when the object crashed is gone, and nobody was told of it", async () => {
  const { object, scheduler, apply } = startObject();
  expect(await apply("a")).toEqual([0, 0]);
  const answer = object.call("apply", [bytesOf(payments("b", 2))]).catch((error: unknown) => String(error));
  object.crash();
  await scheduler.advance(scheduler.nowMs + 100, () => {});
  expect(await answer).toContain("reset");
  expect(await apply("a")).toEqual([1, 1]);
  expect(await apply("b")).toEqual([0, 0]);
});
