import { expect, test } from "vitest";
import { STATUS } from "../../shared/messages/shard-batch.ts";
import { WINDOW_MS } from "../../shared/window.ts";
import { lateWindowsOf } from "./late-windows-of.ts";

const { accepted, late } = STATUS;
const occurred = [0, 1, WINDOW_MS, WINDOW_MS + 1, 2 * WINDOW_MS];
const batch = { merchantId: (i: number) => (i === 3 ? "other" : "shop"), occurredAt: (i: number) => occurred[i] ?? 0 };

test("a window with late events is announced once, of each merchant, and no other", () => {
  expect(lateWindowsOf(batch, Uint8Array.of(late, late, late, late, accepted), 10)).toEqual([
    { merchantId: "shop", startMs: 0 },
    { merchantId: "shop", startMs: WINDOW_MS },
    { merchantId: "other", startMs: WINDOW_MS },
  ]);
  expect(lateWindowsOf(batch, new Uint8Array(5).fill(accepted), 10)).toEqual([]);
});

test("no more are announced than one request may", () => {
  expect(lateWindowsOf(batch, new Uint8Array(5).fill(late), 2)).toHaveLength(2);
});
