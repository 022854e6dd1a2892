import { expect, test } from "vitest";
import {
  BODY_BYTES_UNDER_WAY_MAX,
  BODY_BYTES_WITH_HEAD_START_MAX,
  REQUESTS_UNDER_WAY_MAX,
  REQUESTS_WITH_HEAD_START_MAX,
  UnderWay,
  WORK_MS_MAX,
} from "./under-way.ts";

const begun = (underWay: UnderWay, requests: number, bytes: number) =>
  Array.from({ length: requests }, () => underWay.begin(bytes, 0));

test("an isolate is full with so many requests, and has room again when one is answered", () => {
  const underWay = new UnderWay();
  const requests = begun(underWay, REQUESTS_UNDER_WAY_MAX - 1, 1);
  expect(underWay.isFull(0)).toBe(false);
  const last = underWay.begin(1, 0);
  expect(underWay.isFull(0)).toBe(true);
  last.end();
  expect(underWay.isFull(0)).toBe(false);
  for (const { end } of requests) end();
  expect(underWay.begin(1, 0).hasHeadStart).toBe(true);
});

test("it is full with so many bytes; a body larger than all that is taken when there is room at all", () => {
  const underWay = new UnderWay();
  underWay.begin(1, 0);
  expect(underWay.isFull(0)).toBe(false);
  const large = underWay.begin(BODY_BYTES_UNDER_WAY_MAX + 1, 0);
  expect(underWay.isFull(0)).toBe(true);
  large.end();
  expect(underWay.isFull(0)).toBe(false);
});

test("the head start ends long before there is no room, by requests and by bytes; a large request alone has it", () => {
  const byRequests = begun(new UnderWay(), REQUESTS_WITH_HEAD_START_MAX + 1, 1).map(({ hasHeadStart }) => hasHeadStart);
  expect(byRequests).toEqual([...Array(REQUESTS_WITH_HEAD_START_MAX).fill(true), false]);
  const byBytes = begun(new UnderWay(), 3, BODY_BYTES_WITH_HEAD_START_MAX / 2).map(({ hasHeadStart }) => hasHeadStart);
  expect(byBytes).toEqual([true, true, false]);
  expect(new UnderWay().begin(2 * BODY_BYTES_WITH_HEAD_START_MAX, 0).hasHeadStart).toBe(true);
});

test("refusals are reported once a second, all of them", () => {
  const underWay = new UnderWay();
  const reports = [1_000, 1_001, 1_999, 2_000, 9_000].map((nowMs) => underWay.refuse(nowMs));
  expect(reports).toEqual([1, undefined, undefined, 3, 1]);
});

test("requests whose end nobody tells of do not fill an isolate for ever, and end only once", () => {
  const underWay = new UnderWay();
  const [first] = begun(underWay, REQUESTS_UNDER_WAY_MAX, 1);
  expect(underWay.isFull(WORK_MS_MAX - 1)).toBe(true);
  expect(underWay.isFull(WORK_MS_MAX)).toBe(false);
  first?.end();
  for (let at = 0; at < REQUESTS_UNDER_WAY_MAX; at += 1) underWay.begin(1, WORK_MS_MAX);
  expect(underWay.isFull(WORK_MS_MAX)).toBe(true);
});
