import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { INGEST_ACCESS } from "../access/table.ts";
import { addKey, addSource } from "../directory/test-directory.ts";
import { ingest } from "../openapi/held-apps.ts";
import { OPERATIONS } from "../openapi/operations.ts";
import { ORIGIN, openApi, type TestApi } from "./test-api.ts";

/** Every route, asked with a parameter that it does not have. */

let api: TestApi;
let operator: HeadersInit;
let page: HeadersInit;
let source: HeadersInit;

beforeAll(async () => {
  api = await openApi();
  await addSource(api.directory, "pos", null);
  const { token } = await addKey(api.directory, "operator", "ops");
  operator = { Authorization: `Bearer ${token}` };
  source = { Authorization: (await addKey(api.directory, "source", "pos")).authorization };
  const own = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };
  const signedIn = await api.ask("POST", "/v1/session", own, { key: token });
  const { session } = (await signedIn.json()) as { session: { csrf_token: string } };
  const Cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  page = { ...own, Cookie, "X-CSRF-Token": session.csrf_token };
});
beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

const CALLS = Object.entries(OPERATIONS)
  .filter(([name]) => name !== "GET /healthz")
  .map(([name, { query }]) => ({ name, known: Object.keys(query?.shape ?? {}) }));

test.each(CALLS)("$name refuses a parameter that it does not have, and names those it has", async ({ name, known }) => {
  const [method = "", route = ""] = name.split(" ");
  const path = `${route.replace(":merchant", "shop-1").replace(/:[a-z]+/g, "none")}?nonsense=1`;
  const response =
    name in INGEST_ACCESS
      ? await ingest.request(path, { method, headers: source }, { DIRECTORY: api.directory })
      : await api.ask(
          method,
          path,
          name === "DELETE /v1/session" ? page : operator,
          method === "POST" ? {} : undefined,
        );
  expect(response.status).toBe(400);
  const right = known.length === 0 ? "There are none here." : expect.stringMatching(/^There are /);
  const problem = (await response.json()) as { readonly detail: string };
  expect(problem).toMatchObject({ code: "unknown_parameter", parameter: "nonsense", detail: right });
  if (known.length > 0) expect(problem.detail.slice(10, -1).split(", ").sort()).toEqual([...known].sort());
});
