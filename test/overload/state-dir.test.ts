import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { roomyDir } from "../../bench/system.ts";

test("state is in memory only where there is room for it", async () => {
  expect(await roomyDir("/", 1)).toBe("/");
  expect(await roomyDir("/", Number.MAX_SAFE_INTEGER)).toBe(tmpdir());
  expect(await roomyDir("/nowhere", 1)).toBe(tmpdir());
});
