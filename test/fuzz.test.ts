import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescription } from "../fuzz/described.ts";
import { ANSWER_MS_MAX, runFuzz } from "../fuzz/fuzz-run.ts";
import { sendRaw } from "../fuzz/raw-request.ts";
import { startTestSystem, type TestSystem } from "./system.ts";

/** The long run is `npm run fuzz`. */
const SEED = 202_611;
const CASES = 2_000;

let tally: TestSystem;

beforeAll(async () => {
  tally = await startTestSystem();
});
afterAll(() => tally?.stop());

test("hostile requests are all answered, none by a failure, and what they are told is what is archived and counted", async () => {
  const described = readDescription(JSON.parse(await readFile("dist/site/openapi.json", "utf8")));
  const report = await runFuzz(tally, tally.stateDir, described, { seed: SEED, first: 0, cases: CASES });
  expect(report.faults).toEqual([]);
  expect(report).toMatchObject({ cases: CASES, serverErrors: 0, faultCount: 0 });
  // Or it would have found nothing for want of trying.
  expect(report.countedEvents).toBeGreaterThan(CASES / 10);
  expect(Object.keys(report.codes).length).toBeGreaterThan(25);
});

test.each(["/v1/session", "/v1/admin/sources", "/v1/merchants/shop/report"])(
  "a GET of %s that comes with a body is answered as one without",
  async (target) => {
    const request = {
      ...{ method: "GET", target, delivery: "chunked" as const, body: Buffer.from("{}") },
      headers: [["Authorization", `Bearer ${tally.operatorKey}`]] as const,
    };
    expect((await sendRaw(tally.runtime.apiUrl, request, ANSWER_MS_MAX))?.status).toBe(200);
  },
);
