import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "../../shared/event.arbitrary.ts";
import { toRow } from "../../shared/window-row.ts";
import { emptyState, fold } from "./engine.ts";
import { decodePages, encodePages, PAGE_BYTES_MAX } from "./page.ts";
import { batchOf, payments } from "./sample-payments.ts";
import { Slice } from "./slice.ts";

/** Windows without sealed identities. */
const none = () => [];
const rowsOf = (slice: Slice) => JSON.stringify([...slice.windows()].map(toRow));

function sliceOf(events: Parameters<typeof batchOf>[0]): Slice {
  const state = emptyState();
  fold(state, batchOf(events), 1);
  const [slice = new Slice(0)] = state.slices.values();
  return slice;
}

/** A slice too large for one page: 200,000 fingerprints of 12 bytes. */
function largeSlice(): Slice {
  const slice = sliceOf(payments("p", 3));
  for (let i = 1; i <= 200_000; i++) slice.ids.add(Math.imul(i, 0x9e3779b1) >>> 0, i, i);
  return slice;
}

function expectSame(restored: Slice, slice: Slice) {
  expect(restored.startMs).toBe(slice.startMs);
  expect(restored.revision).toBe(slice.revision);
  expect(rowsOf(restored)).toBe(rowsOf(slice));
  expect(new Set(restored.ids.fresh.words())).toEqual(new Set(slice.ids.fresh.words()));
  expect(restored.ids.size).toBe(slice.ids.size);
}

describe("checkpoint pages", () => {
  test("give the slice back, whatever was paid for, and it counts on as if it had never been away", () => {
    const events = fc.array(paymentEvent, { minLength: 2, maxLength: 40, size: "max" });
    const oneWindow = fc.tuple(events, fc.boolean()).map(([events, isOneMerchant]) => {
      const [first] = events;
      const shared = isOneMerchant ? { merchant_id: "shop", currency: "JPY" } : {};
      return events.map((event, i) => ({
        ...event,
        ...shared,
        event_id: String(i),
        occurred_at: first?.occurred_at ?? 0,
      }));
    });
    fc.assert(
      fc.property(oneWindow, (events) => {
        const slice = sliceOf(events.slice(0, -1));
        const restored = decodePages(encodePages(slice), none);
        expectSame(restored, slice);
        for (const one of [slice, restored]) {
          const state = { ...emptyState(), slices: new Map([[one.startMs, one]]), atMs: 1 };
          fold(state, batchOf(events), 2);
        }
        expectSame(restored, slice);
      }),
      { numRuns: 80 },
    );
  });

  test("are as many as it takes, none of them larger than a row may be", () => {
    const slice = largeSlice();
    const pages = encodePages(slice);
    expect(pages.length).toBe(2);
    for (const page of pages) expect(page.byteLength).toBeLessThanOrEqual(PAGE_BYTES_MAX);
    expectSame(decodePages(pages, none), slice);
  });

  test("are refused when a page is missing, doubled or out of order", () => {
    const [first = new Uint8Array(), second = new Uint8Array()] = encodePages(largeSlice());
    for (const pages of [[first], [second], [second, first], [first, second, second], []]) {
      expect(() => decodePages(pages, none)).toThrow();
    }
  });

  test("are refused when any byte of them is another", () => {
    const [page = new Uint8Array()] = encodePages(sliceOf(payments("p", 3)));
    fc.assert(
      fc.property(fc.nat(page.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(page);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(() => decodePages([damaged], none)).toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test("are refused when cut off anywhere", () => {
    const [page = new Uint8Array()] = encodePages(sliceOf(payments("p", 3)));
    for (let length = 0; length < page.byteLength; length += 7) {
      expect(() => decodePages([page.subarray(0, length)], none)).toThrow();
    }
  });
});
