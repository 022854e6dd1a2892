import { expect, test } from "vitest";
import { type Family, openMetrics } from "./open-metrics.ts";
import { readOpenMetrics } from "./test-open-metrics.ts";

const gauge = (over: Partial<Family> = {}) =>
  ({ name: "queue_seconds", type: "gauge", help: "Age.", samples: [{ labels: {}, value: 1.5 }], ...over }) as Family;

test("a family is its type, unit and help, then its samples; the end is marked", () => {
  const families: Family[] = [
    { ...gauge(), unit: "seconds" },
    { name: "events", type: "counter", help: "Events.", samples: [{ labels: { kind: "new" }, value: 3 }] },
  ];
  expect(openMetrics(families)).toBe(`# TYPE queue_seconds gauge
# UNIT queue_seconds seconds
# HELP queue_seconds Age.
queue_seconds 1.5
# TYPE events counter
# HELP events Events.
events_total{kind="new"} 3
# EOF
`);
});

test("buckets count what is in those before them too; bounds that are integers say so", () => {
  const samples = [{ labels: { by: "log" }, buckets: [2, 0, 5], sum: 31.5 }];
  const text = openMetrics([{ name: "call", type: "histogram", help: "Calls.", bounds: [0.5, 10], samples }]);
  expect(text).toBe(`# TYPE call histogram
# HELP call Calls.
call_bucket{by="log",le="0.5"} 2
call_bucket{by="log",le="10.0"} 2
call_bucket{by="log",le="+Inf"} 7
call_count{by="log"} 7
call_sum{by="log"} 31.5
# EOF
`);
  expect(readOpenMetrics(text).size).toBe(5);
});

test("what would end a line or a label is escaped", () => {
  const text = openMetrics([gauge({ help: 'a "b" \\ \n# EOF', samples: [{ labels: { a: '"\n\\' }, value: 0 }] })]);
  expect(text.split("\n")).toHaveLength(5);
  expect([...readOpenMetrics(text)]).toEqual([['queue_seconds{a="\\"\\n\\\\"}', 0]]);
});

test("a family of which nothing is known is left out; without any the text is its end", () => {
  expect(openMetrics([gauge({ samples: [] })])).toBe("# EOF\n");
});

test.each([
  ["no end", "a 1\n"],
  ["a sample of no family", "a 1\n# EOF\n"],
  ["a counter without its suffix", "# TYPE a counter\na 1\n# EOF\n"],
  ["a unit the name does not have", "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n"],
  ["a family in pieces", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n"],
  ["a sample twice", "# TYPE a gauge\na 1\na 2\n# EOF\n"],
  ["an empty line", "# TYPE a gauge\n\na 1\n# EOF\n"],
  ["buckets that fall", '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n'],
])("the reader the tests go by refuses %s", (_, text) => {
  expect(() => readOpenMetrics(text)).toThrow();
});
