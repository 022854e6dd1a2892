import { expect, test } from "vitest";
import { CURL_EXAMPLES, curlLine } from "./curl.ts";

const TARGET = { origin: "https://tally.example", merchantId: "cafe-hoshino", from: "2026-10-31" };

test("lines have one's own ids and the page's origin, and the key is none of them", () => {
  for (const example of CURL_EXAMPLES) {
    const line = curlLine(example, TARGET);
    expect(line).toContain("'https://tally.example/v1/merchants/cafe-hoshino/");
    expect(line).toContain('"Authorization: Bearer $TALLY_KEY"');
    expect(line).not.toContain("\n");
  }
});

test("a query's body is JSON between single quotes", () => {
  const [, body = ""] = / -d '([^']*)'/.exec(curlLine("query", TARGET)) ?? [];
  expect(JSON.parse(body)).toEqual({ from: "2026-10-31", metrics: ["net"], dimensions: ["weekday", "hour"] });
});
