import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescription } from "../fuzz/described.ts";
import { runFuzz } from "../fuzz/fuzz-run.ts";
import { type Delivery, sendRaw } from "../fuzz/raw-request.ts";
import { ANSWER_MS_MAX } from "../fuzz/silence.ts";
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

test.each([
  ["two of them", ["a.example", "a.example"], "/healthz"],
  ["a bracket", ["["], "/healthz"],
  ["a port that is none", ["localhost:99999"], "/v1/session"],
  ["a star behind it for a path", ["localhost"], "*"],
])("a request to api whose Host is none is the sender's fault: %s", async (_, hosts, target) => {
  const headers = hosts.map((host) => ["Host", host] as const);
  const request = { method: "GET", target, headers, delivery: "whole" as const, body: undefined };
  const answer = await sendRaw(tally.runtime.apiUrl, request, ANSWER_MS_MAX);
  expect(answer?.status).toBe(400);
  expect(JSON.parse(answer?.text ?? "")).toMatchObject({ code: "invalid_host", status: 400 });
});

const post = (target: string, key: string, delivery: Delivery, body: Uint8Array) => ({
  ...{ method: "POST", target, delivery, body },
  headers: [
    ["Authorization", `Bearer ${key}`],
    ["Content-Type", "application/json"],
  ] as const,
});

test("a body whose chunks are none is the sender's fault, on both Workers", async () => {
  const { ingestUrl, apiUrl } = tally.runtime;
  for (const [url, target] of [
    [ingestUrl, "/v1/events"],
    [apiUrl, "/v1/session"],
    [apiUrl, "/v1/merchants/shop/query"],
  ] as const) {
    const key = url === ingestUrl ? tally.sourceKey : tally.operatorKey;
    const answer = await sendRaw(url, post(target, key, "malformed", Buffer.from("{}")), ANSWER_MS_MAX);
    expect([answer?.status, JSON.parse(answer?.text ?? "").code]).toEqual([400, "malformed_body"]);
  }
});

test.each(["dribbled", "chunked"] as const)(
  "whoever sends more than is taken can send all of it, and is told: %s",
  async (delivery) => {
    const request = post("/v1/session", tally.operatorKey, delivery, Buffer.alloc(3_000_000, "x"));
    let unsent = request.body.byteLength;
    const answer = await sendRaw(tally.runtime.apiUrl, request, ANSWER_MS_MAX, (bytes) => {
      unsent -= bytes;
    });
    expect(answer?.status).toBe(413);
    expect(unsent).toBe(0);
  },
);
