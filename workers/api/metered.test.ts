import { expect, test } from "vitest";
import { API_ACCESS } from "../access/table.ts";
import type { Delta } from "../meter/delta.ts";
import { isolateMeter, type MeterEnv } from "../meter/isolate-meter.ts";
import { meterRequest, routeOf } from "./metered.ts";

async function told(): Promise<Delta["counts"]> {
  let counts: Delta["counts"] = {};
  const add = async (delta: Delta) => {
    counts = delta.counts;
  };
  const METER = { idFromName: (name: string) => name, get: () => ({ add }) };
  await isolateMeter.flush({ METER } as unknown as MeterEnv);
  return counts;
}

test("every route of the table is counted as something, and only healthz as other", () => {
  const others = Object.keys(API_ACCESS).filter((name) => routeOf(name.split(" ")[1] ?? "") === "other");
  expect(others).toEqual(["GET /healthz"]);
});

test.each([
  ["/v1/merchants/shop", "merchant"],
  ["/v1/merchants/shop/metrics", "metrics"],
  ["/v1/merchants/metrics/keys/k/rotate", "keys"],
  ["/v1/merchants/shop/admin", "other"],
  ["/v1/merchants/shop/other", "other"],
  ["/v1/admin/replays/metrics", "admin"],
  ["/v2/admin", "other"],
  ["/", "other"],
])("%s is counted as %s", (path, route) => {
  expect(routeOf(path)).toBe(route);
});

test("requests are counted by class of status and by how long they took, and told once", async () => {
  await told();
  meterRequest("metrics", 200, 1_000, 1_005);
  meterRequest("metrics", 304, 1_000, 1_006);
  meterRequest("keys", 503, 1_000, 61_000);
  // A clock that went back.
  meterRequest("metrics", 200, 1_000, 900);
  const before = {
    "api_requests/metrics/2xx": 2,
    "api_requests/metrics/3xx": 1,
    "api_requests/keys/5xx": 1,
    "api_request_seconds/metrics/0": 2,
    "api_request_seconds/metrics/1": 1,
    "api_request_seconds/metrics/sum": expect.closeTo(0.011),
    "api_request_seconds/other/8": 1,
    "api_request_seconds/other/sum": 60,
  };
  expect(await told()).toEqual(before);
  expect(await told()).toEqual({});
});
