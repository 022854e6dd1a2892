import { expect, test } from "vitest";
import { internalError, methodNotAllowed, notFound, type Problem, problemResponse, unauthorized } from "./problem.ts";

test.each<[Problem]>([[unauthorized("Send a key.")], [notFound("/x")], [internalError], [methodNotAllowed("POST")]])(
  "every problem has the one shape of RFC 9457 and is never cached: $code",
  async (problem) => {
    const response = problemResponse(problem);
    expect(response.status).toBe(problem.status);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const { status, code, title, detail } = problem;
    expect(await response.json()).toEqual({ type: `urn:tally:problem:${code}`, status, code, title, detail });
  },
);

test("headers say what a client does next: authenticate, retry, use another method", () => {
  const busy = problemResponse({ status: 503, code: "busy", title: "Busy", retryAfterS: 5 });
  expect(busy.headers.get("Retry-After")).toBe("5");
  expect(busy.headers.get("WWW-Authenticate")).toBeNull();
  expect(problemResponse(unauthorized("")).headers.get("WWW-Authenticate")).toMatch(/^Bearer /);
  expect(problemResponse(methodNotAllowed("POST")).headers.get("Allow")).toBe("POST");
});

test("further members stand beside the others", async () => {
  const problem = {
    status: 422,
    code: "all_rejected",
    title: "No",
    extensions: { rejected: 2, errors: [{ index: 0 }] },
  };
  expect(await problemResponse(problem).json()).toMatchObject({
    code: "all_rejected",
    rejected: 2,
    errors: [{ index: 0 }],
  });
});
