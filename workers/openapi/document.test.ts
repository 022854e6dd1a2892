import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { API_ACCESS, INGEST_ACCESS } from "../access/table.ts";
import { openApiDocument, openApiPath } from "./document.ts";
import { interpretedSchema } from "./interpreted-schema.ts";
import { OPERATIONS } from "./operations.ts";

type MediaType = { readonly schema: object; readonly example?: unknown };

const document = openApiDocument();

test("the document is OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test("every route that may be called is described, and none that may not", () => {
  const routes = Object.keys({ ...INGEST_ACCESS, ...API_ACCESS }).filter((name) => !name.startsWith("ALL "));
  expect(Object.keys(OPERATIONS).sort()).toEqual(routes.sort());
  for (const name of routes) {
    const [method = "", path = ""] = name.split(" ");
    expect(document.paths?.[openApiPath(path)]).toHaveProperty(method.toLowerCase());
  }
});

test("every parameter of a path is described", () => {
  for (const [name, { path }] of Object.entries(OPERATIONS)) {
    expect([name, Object.keys(path?.shape ?? {})]).toEqual([
      name,
      [...name.matchAll(/:(\w+)/g)].map(([, part]) => part),
    ]);
  }
});

test("what programs send and read has a name, which generators make a type of", () => {
  expect(Object.keys(document.components?.schemas ?? {})).toEqual(
    expect.arrayContaining([
      "PaymentEvent",
      "CloudEvent",
      "Receipt",
      "Report",
      "Metrics",
      "QueryResult",
      "Events",
      "ListedEvent",
      "LiveEvent",
    ]),
  );
});

test("a body's example is one of its schema", () => {
  const { components, paths } = JSON.parse(JSON.stringify(document));
  const wrong = Object.entries<Record<string, { requestBody?: { content: Record<string, MediaType> } }>>(paths).flatMap(
    ([path, methods]) =>
      Object.values(methods).flatMap(({ requestBody }) =>
        Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema, example }]) => {
          const fault = example === undefined ? undefined : interpretedSchema({ ...schema, components })(example);
          return fault === undefined ? [] : [`${path} ${type}: ${fault}`];
        }),
      ),
  );
  expect(wrong).toEqual([]);
});

// OpenAPI 3.1's first schema, which parsers go by to this day, misspells the description of a variable and refuses it.
test("a server's variable has no description", () => {
  const variables = document.paths?.["/v1/events"]?.post?.servers?.[0]?.variables;
  expect(variables).toEqual({ ingest: { default: "http://127.0.0.1:8787" } });
});

test("operations have names of their own", () => {
  const ids = Object.values(OPERATIONS).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
