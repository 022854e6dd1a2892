import { describe, expect, test } from "vitest";
import { faultsOf } from "./check-answer.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { parseAnswer } from "./raw-request.ts";
import type { World } from "./world.ts";

const world = { hiddenMarks: ["Verborgenwert"] } as unknown as World;
const ID = "9d5c1f0e-0000-4000-8000-000000000000";

function asked(over: Partial<FuzzCase> = {}): FuzzCase {
  const request = { method: "GET", target: "/v1/session", headers: [], body: undefined, delivery: "whole" } as const;
  return { index: 0, worker: "api", caller: "merchant", request, ...over };
}

function answered(status: number, text: string, headers: Record<string, string> = {}) {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  return { status, text, headers: new Map(Object.entries({ "x-request-id": ID, "content-type": type, ...headers })) };
}

const problem = (status: number, code: string) =>
  answered(status, JSON.stringify({ type: `urn:tally:problem:${code}`, title: "No", status, code }));

test("a problem as it is described, and an answer as it should be, are no faults", () => {
  expect(faultsOf(asked(), problem(401, "unauthorized"), world)).toEqual([]);
  expect(faultsOf(asked(), answered(200, "{}"), world)).toEqual([]);
});

test.each([
  ["a failure", problem(500, "internal_error"), "status 500"],
  ["a code nobody has described", problem(400, "oops"), "oops is not described"],
  ["a code with another status", problem(422, "unauthorized"), "not described for 422"],
  ["an error that is a page", answered(404, "<h1>", { "content-type": "text/html" }), "an error as text/html"],
  ["405 without what is allowed", problem(405, "method_not_allowed"), "405 without Allow"],
  ["no request id", answered(200, "{}", { "x-request-id": "" }), "X-Request-Id"],
  ["a stack", answered(200, "Error\n    at Object.answer (index.js:1:2)"), "the answer has"],
  ["a statement", answered(200, "SELECT merchant_id FROM windows"), "the answer has"],
  ["another tenant", answered(200, '{"name":"Verborgenwert"}'), "sees Verborgenwert"],
  ["another tenant in a header", answered(200, "{}", { etag: "Verborgenwert" }), "sees Verborgenwert"],
  ["a header of the caller's", answered(200, "{}", { "x-injected": "1" }), "injected"],
])("%s is a fault", (_what, answer, words) => {
  expect(faultsOf(asked(), answer, world)).toContainEqual(expect.stringContaining(words));
});

test("what the caller has sent may be told again, and the hidden tenant sees itself", () => {
  const request = { ...asked().request, target: "/v1/merchants/x'SELECT 1" };
  expect(faultsOf(asked({ request }), answered(200, "x'SELECT 1"), world)).toEqual([]);
  expect(faultsOf(asked({ caller: "hidden merchant" }), answered(200, "Verborgenwert"), world)).toEqual([]);
});

describe("an answer as it came over the wire", () => {
  const bytes = (text: string) => Buffer.from(text.replaceAll("\n", "\r\n"));

  test("is put together from its chunks, after a 100", () => {
    const text = "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n2\nde\n0\n\n";
    expect(parseAnswer(bytes(text), false)).toMatchObject({ status: 200, text: "abcde" });
  });

  test.each([
    ["within its head", "HTTP/1.1 200 OK\nContent-Le"],
    ["within its body", "HTTP/1.1 200 OK\nContent-Length: 9\n\nabc"],
    ["before its last chunk", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n"],
  ])("that ends %s is none", (_where, text) => {
    expect(() => parseAnswer(bytes(text), false)).toThrow();
  });
});
