import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { API_ACCESS, INGEST_ACCESS } from "../access/table.ts";
import { openApiDocument, openApiPath } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

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

test("operations have names of their own", () => {
  const ids = Object.values(OPERATIONS).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
