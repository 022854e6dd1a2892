import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventOf, reportOf, reports, windowOf } from "../report.arbitrary.ts";
import { toRow } from "../window-row.ts";
import { decodeWindowsMessage, encodeWindowsMessage, type WindowsMessage } from "./windows.ts";

const messages: fc.Arbitrary<WindowsMessage> = fc.record({
  shard: fc.constant("0123456789abcdef".repeat(4)),
  emission: fc.maxSafeNat(),
  part: fc.nat(1_000),
  rows: fc.array(
    reports.map((report) => toRow(windowOf(report))),
    { maxLength: 3 },
  ),
});
const row = toRow(windowOf(reportOf([eventOf(0), eventOf(1)])));
const sample: WindowsMessage = { shard: "0".repeat(64), emission: 7, part: 0, rows: [row] };
const json = JSON.parse(encodeWindowsMessage(sample));

describe("a windows message", () => {
  test("comes back as it was sent, its rows to the byte", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const read = decodeWindowsMessage(encodeWindowsMessage(message));
        expect(read).toEqual({ ok: true, value: message });
        expect(read.ok && JSON.stringify(read.value.rows)).toBe(JSON.stringify(message.rows));
      }),
      { numRuns: 50 },
    );
  });

  test("cut off anywhere is an error", () => {
    const text = encodeWindowsMessage(sample);
    for (let end = 0; end < text.length; end++) expect(decodeWindowsMessage(text.slice(0, end)).ok).toBe(false);
  });

  test("with characters changed is an error or a message, never a crash", () => {
    const text = encodeWindowsMessage(sample);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(..."\"'{}[],:-.09e\\\u0000漢"), (at, char) => {
        const read = decodeWindowsMessage(text.slice(0, at) + char + text.slice(at + 1));
        if (!read.ok) expect(read.error.reason).not.toBe("");
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<[string, unknown]>([
    ["another version", { ...json, v: 2 }],
    ["no shard", { ...json, shard: "shard-1" }],
    ["a negative part", { ...json, part: -1 }],
    ["rows that are no list", { ...json, rows: {} }],
    ["a row that contradicts itself", { ...json, rows: [{ ...row, payments_count: 100 }] }],
    ["nothing at all", null],
  ])("with %s is an error", (_, wrong) => {
    expect(decodeWindowsMessage(JSON.stringify(wrong)).ok).toBe(false);
  });

  test("says why in few words, however much is wrong: the reason is kept with the dead letter", () => {
    const wrong = { ...json, rows: Array.from({ length: 100 }, () => ({ customers: Array(100).fill("x") })) };
    const read = decodeWindowsMessage(JSON.stringify(wrong));
    const reason = read.ok ? "" : read.error.reason;
    expect(reason).toContain("payments_count");
    expect(reason.length).toBeLessThanOrEqual(1_000);
  });
});
