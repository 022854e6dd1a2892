import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDemoMark } from "./demo-mark.ts";

test("marks that are saved before the one before is written are all written, the last one last", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tally-mark-"));
  try {
    const path = join(folder, "demo.json");
    const mark = await openDemoMark(path);
    await Promise.all(Array.from({ length: 50 }, (_, at) => mark.save(at)));
    expect((await openDemoMark(path)).completeToMs).toBe(49);
  } finally {
    await rm(folder, { recursive: true });
  }
});
