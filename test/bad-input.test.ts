import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey, putSource } from "../scripts/directory.ts";
import { windowStart } from "../shared/window.ts";
import { payment, startTestSystem, type TestSystem } from "./system.ts";

let tally: TestSystem;

const logs: string[] = [];

beforeAll(async () => {
  tally = await startTestSystem(undefined, { onLog: ({ message }) => logs.push(message) });
});
afterAll(() => tally?.stop());

const JSON_TYPE = { "Content-Type": "application/json" };

async function problemOf(response: Response) {
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  const problem = (await response.json()) as { status: number; code: string; detail?: string; errors?: unknown[] };
  expect(problem.status).toBe(response.status);
  return problem;
}

test.each<[string, number, string, () => Promise<Response>]>([
  ["a body that is not JSON", 400, "malformed_json", () => tally.post("{nope", JSON_TYPE)],
  ["an empty body", 400, "malformed_json", () => tally.post("", JSON_TYPE)],
  ["text that is not UTF-8", 400, "malformed_text", () => tally.post(new Uint8Array([0x7b, 0xff, 0x7d]), JSON_TYPE)],
  ["gzip that is not", 400, "malformed_gzip", () => tally.post("plain", { ...JSON_TYPE, "Content-Encoding": "gzip" })],
  [
    "another type",
    415,
    "unsupported_type",
    () => tally.post("a=b", { "Content-Type": "application/x-www-form-urlencoded" }),
  ],
  ["another encoding", 415, "unsupported_encoding", () => tally.post("x", { ...JSON_TYPE, "Content-Encoding": "br" })],
  ["11 MB", 413, "body_too_large", () => tally.post("x".repeat(11_000_000))],
  [
    "a gzip bomb of 200 MB",
    413,
    "body_too_large",
    () => tally.post(gzipSync(Buffer.alloc(200_000_000)), { "Content-Encoding": "gzip" }),
  ],
  ["10,001 events", 413, "too_many_events", () => tally.post("{}\n".repeat(10_001))],
  ["no key", 401, "unauthorized", () => tally.post("{}", { Authorization: "" })],
  [
    "a key that does not exist",
    401,
    "unauthorized",
    () => tally.post("{}", { Authorization: `Bearer ${"x".repeat(40)}` }),
  ],
  ["an operator's key", 403, "forbidden", () => tally.post("{}", { Authorization: `Bearer ${tally.operatorKey}` })],
  ["another method", 405, "method_not_allowed", () => fetch(`${tally.runtime.ingestUrl}/v1/events`)],
  ["another path", 404, "not_found", () => fetch(`${tally.runtime.ingestUrl}/v2/events`)],
])("%s is %i", async (_what, status, code, send) => {
  const response = await send();
  expect(response.status).toBe(status);
  expect((await problemOf(response)).code).toBe(code);
});

test("one bad event spoils nothing: each rejection names its index, field and code, the others are counted", async () => {
  const good = payment();
  const lines = [
    JSON.stringify(payment({ amount: -1 })),
    JSON.stringify(good),
    "not json",
    JSON.stringify({ ...payment(), currency: undefined, user: { email: "marked@example.com" } }),
    JSON.stringify(payment({ occurred_at: Date.now() + 3_600_000 })),
    JSON.stringify(payment({ occurred_at: 1_000 })),
    JSON.stringify({ ...good, amount: 999 }),
    JSON.stringify(good),
  ];
  const response = await tally.post(lines.join("\n"));
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).not.toContain("marked@example.com");
  expect(JSON.parse(text)).toMatchObject({
    accepted: 1,
    duplicates: 2,
    late: 0,
    rejected: 5,
    errors: [
      { index: 0, code: "invalid_value", path: "amount" },
      { index: 2, code: "malformed_json" },
      { index: 3, code: "missing_field", path: "currency" },
      { index: 4, code: "in_the_future", path: "occurred_at" },
      { index: 5, code: "too_old", path: "occurred_at" },
      { index: 6, code: "conflict", event_id: good.event_id },
    ],
  });
});

test("when every event is rejected the answer is 422 with the receipt", async () => {
  const response = await tally.post("[{}, 7]", JSON_TYPE);
  expect(response.status).toBe(422);
  expect(await problemOf(response)).toMatchObject({
    code: "all_rejected",
    accepted: 0,
    rejected: 2,
    errors: [{ index: 0 }, { index: 1 }],
  });
});

test("a source that may send for some merchants is refused for the others", async () => {
  const nowMs = Date.now();
  await putSource(tally.runtime.directory, { id: "limited", name: "Limited", merchants: ["mine"] }, nowMs);
  const Authorization = `Bearer ${await createKey(tally.runtime.directory, "source", "limited", nowMs)}`;
  const mixed = await tally.send([payment({ merchant_id: "mine" }), payment({ merchant_id: "theirs" })], {
    Authorization,
  });
  expect(mixed.status).toBe(200);
  expect(await mixed.json()).toMatchObject({
    accepted: 1,
    rejected: 1,
    errors: [{ index: 1, code: "merchant_not_allowed" }],
  });
  const others = await tally.send([payment({ merchant_id: "theirs" })], { Authorization });
  expect(others.status).toBe(403);
});

test("a JSON object, an array, NDJSON and CloudEvents are taken alike, gzip or not", async () => {
  const bodies: [BodyInit, Record<string, string>][] = [
    [JSON.stringify(payment()), JSON_TYPE],
    [JSON.stringify([payment()]), { "Content-Type": "application/json; charset=utf-8" }],
    [gzipSync(`${JSON.stringify(payment())}\r\n\r\n`), { "Content-Encoding": "gzip" }],
    [
      JSON.stringify({
        specversion: "1.0",
        id: "ce-1",
        source: "/app",
        type: "app.payment",
        time: new Date().toISOString(),
        data: { ...payment(), event_id: undefined, occurred_at: undefined, type: undefined },
      }),
      { "Content-Type": "application/cloudevents+json" },
    ],
  ];
  for (const [body, headers] of bodies) {
    const response = await tally.post(body, headers);
    expect(await response.json()).toMatchObject({ accepted: 1, rejected: 0 });
  }
});

test("a merchant's key reads that merchant, an operator's every one, a source's none", async () => {
  await tally.send([payment()]);
  const own = await tally.merchantKey("shop");
  const path = "/v1/merchants/shop/metrics";
  expect((await tally.read(path, own)).status).toBe(200);
  expect((await tally.read(path)).status).toBe(200);
  expect((await tally.read("/v1/merchants/other/metrics", own)).status).toBe(403);
  expect((await tally.read("/v1/merchants/other/report", own)).status).toBe(403);
  expect((await tally.read(path, tally.sourceKey)).status).toBe(403);
  expect((await tally.read("/v1/admin/dead-letters", own)).status).toBe(403);
  expect((await tally.read("/v1/admin/dead-letters")).status).toBe(200);
});

test.each([
  ["tz=Mars/Olympus", "tz", "unknown_zone"],
  ["from=yesteryear", "from", "invalid_time"],
  ["from=2026-03-02&to=2026-03-01", "to", "empty_range"],
  ["granularity=2h", "granularity", "invalid_granularity"],
  ["currency=YEN", "currency", "invalid_currency"],
  ["currency=JPY&currency=USD", "currency", "repeated_parameter"],
  ["form=today", "form", "unknown_parameter"],
  ["from=2022-01-01&to=2026-01-01&granularity=10m", "granularity", "too_many_buckets"],
])("metrics?%s is refused with the parameter and what would be right", async (query, parameter, code) => {
  const response = await tally.read(`/v1/merchants/shop/metrics?${query}`);
  expect(response.status).toBe(400);
  expect(await problemOf(response)).toMatchObject({ code, parameter, detail: expect.stringMatching(/\w/) });
});

test("buckets in which nothing happened are there, with zeros and no averages", async () => {
  const response = await tally.read(
    "/v1/merchants/shop/metrics?from=2026-01-01&to=2026-01-03&granularity=1d&currency=JPY",
  );
  const { series } = (await response.json()) as { series: { buckets: object[] }[] };
  expect(series[0]?.buckets).toMatchObject([
    { label: "2026-01-01", status: "final", revision: 0, payments: { count: 0, amount: 0 }, average: null, p50: null },
    { label: "2026-01-02" },
  ]);
});

describe("what would be a statement, a formula or a line elsewhere is a value here", () => {
  const VALUES = [
    "' OR '1'='1",
    "x'); DROP TABLE windows; --",
    "\\' union all select 1 --",
    '=HYPERLINK("//evil.tld","x")',
    "@SUM(A1)",
    "+1+1",
    "{payment_method:String}",
    'a","b',
  ];
  const MERCHANT = "inject-1";
  const query = (body: object, format = "json") =>
    fetch(`${tally.runtime.apiUrl}/v1/merchants/${MERCHANT}/query?format=${format}`, {
      method: "POST",
      body: JSON.stringify({ metrics: ["payments.count"], ...body }),
      headers: { Authorization: `Bearer ${tally.operatorKey}`, "Content-Type": "application/json" },
    });

  let sinceMs: number;
  beforeAll(async () => {
    sinceMs = windowStart(Date.now());
    const sent = await tally.send(VALUES.map((payment_method) => payment({ merchant_id: MERCHANT, payment_method })));
    expect(await sent.json()).toMatchObject({ accepted: VALUES.length });
  });

  test.each(VALUES)("%j, as a filter, finds itself and nothing else", async (value) => {
    const response = await query({
      from: String(sinceMs),
      tz: "UTC",
      where: { payment_method: { eq: value } },
      dimensions: ["payment_method"],
    });
    const { rows } = (await response.json()) as { rows: { payment_method: string; "payments.count": number }[] };
    expect(rows).toMatchObject([{ payment_method: value, "payments.count": 1 }]);
  });

  test("a table has no cell that a spreadsheet would work out, and no cell that ends early", async () => {
    const csv = await (
      await tally.read(
        `/v1/merchants/${MERCHANT}/metrics?from=${sinceMs}&tz=UTC&granularity=1d&group_by=payment_method&format=csv`,
      )
    ).text();
    expect(csv).toContain(`"'=HYPERLINK(""//evil.tld"",""x"")"`);
    expect(csv).toContain('"a"",""b"');
    for (const line of csv.split("\r\n")) expect(line).not.toMatch(/(?:^|,)"?[=+@]/);
  });

  test("ends of lines reach no header, and no line of the log of their own", async () => {
    const end = "%0d%0aX-Injected:%201%0d%0a%0d%0a{%22level%22:%22error%22}";
    for (const path of [
      `/v1/${end}`,
      `/v1/merchants/${end}/report`,
      `/v1/merchants/shop/metrics?tz=${end}`,
      `/v1/admin/sources/${end}`,
    ]) {
      const response = await tally.read(path);
      expect([response.status >= 400 && response.status < 500, response.headers.get("X-Injected")]).toEqual([
        true,
        null,
      ]);
    }
    const rejected = await tally.post("a\r\nb\r\n", { "Content-Type": "application/x-ndjson" });
    expect(rejected.status).toBe(422);
    for (const line of logs) {
      expect(line).not.toMatch(/[\r\n]/);
      expect(JSON.parse(line)).toHaveProperty("message");
    }
  });
});

test.each(["/", "/explore.html", "/openapi.json", "/healthz", "/v1/merchants/shop/report", "/v1/none"])(
  "%s says what it is, is framed by nobody, and has no inline script",
  async (path) => {
    const { headers } = await tally.read(path);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  },
);

test("pages send no address on, and are asked for over TLS alone from then on", async () => {
  const { headers } = await tally.read("/");
  expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(headers.get("Strict-Transport-Security")).toMatch(/^max-age=\d{8}; includeSubDomains$/);
});
