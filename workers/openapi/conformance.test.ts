import { expect, test } from "vitest";
import { conformanceTo } from "./conformance.ts";
import { openApiDocument } from "./document.ts";
import { interpretedSchema } from "./interpreted-schema.ts";

const checkConforms = conformanceTo(JSON.parse(JSON.stringify(openApiDocument())), interpretedSchema);
const HEADERS = { "X-Request-Id": "1", "Content-Type": "application/json" };
const SESSION = { kind: "merchant", subject: "shop", role: "read", key_id: "k", merchant: null, session: null };
const problem = (status: number, code: string) => ({ type: `urn:tally:problem:${code}`, title: "No", status, code });

const answer = (body: unknown, status = 200, headers: HeadersInit = HEADERS) =>
  checkConforms("GET", "/v1/session", new Response(JSON.stringify(body), { status, headers }));
const refuse = (status: number, code: string, more: Record<string, string> = {}) =>
  answer(problem(status, code), status, { ...HEADERS, "Content-Type": "application/problem+json", ...more });

test("an answer as it is described conforms, and so does one of a path that is none of ours", async () => {
  await answer(SESSION);
  await refuse(403, "forbidden");
  await checkConforms("GET", "/elsewhere", new Response("anything", { status: 418 }));
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["a status that is not described", () => answer(SESSION, 202), /status is not described/],
  ["a header that is missing", () => answer(SESSION, 200, { "Content-Type": "application/json" }), /X-Request-Id/],
  ["another media type", () => answer(SESSION, 200, { ...HEADERS, "Content-Type": "text/csv" }), /text\/csv/],
  ["a member that is missing", () => answer({ ...SESSION, role: undefined }), /role/],
  ["a member too many", () => answer({ ...SESSION, secret: 1 }), /secret/],
  ["a member of another type", () => answer({ ...SESSION, session: { expires_at: 1 } }), /session/],
  ["a code of another call", () => refuse(403, "csrf"), /code/],
  ["a refusal that does not say when to come again", () => refuse(503, "directory_unavailable"), /Retry-After/],
])("%s does not conform", async (_, ask, why) => {
  await expect(ask()).rejects.toThrow(why);
});

const NOON = "2026-11-01T12:00:00Z";
const TODAY = { start: "2026-11-01T00:00:00Z", reports: [] };
const stream = async (text: string) => {
  const headers = { "X-Request-Id": "1", "Content-Type": "text/event-stream" };
  const held = await checkConforms("GET", "/v1/merchants/shop/live", new Response(text, { headers }));
  return await held.text();
};
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\nid: 1\n\n`;
const CLOCK = { as_of: NOON, complete_through: NOON };

test("a stream is handed on as it is, and ends with the first event that is not as described", async () => {
  const described = `retry: 1000\n\n: still here\n\n${event("today", { ...CLOCK, today: TODAY })}`;
  expect(await stream(described)).toBe(described);
  await expect(stream(event("today", { ...CLOCK, today: { ...TODAY, reports: 1 } }))).rejects.toThrow(
    /does not conform/,
  );
  await expect(stream(event("window", { ...CLOCK, today: TODAY }))).rejects.toThrow(/does not conform/);
  await expect(stream(event("elsewhere", {}))).rejects.toThrow(/does not conform/);
});
