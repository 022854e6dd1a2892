import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { marksInFiles } from "./deep-search.ts";

test("a mark is found as it is, in gzip amid other bytes, in a stream that is cut off, and in Zstandard", async () => {
  const dir = await mkdtemp(join(tmpdir(), "tally-search-"));
  try {
    const text = Buffer.from(`${"lines of others\n".repeat(500)}the Mark\n${"more\n".repeat(9)}`);
    const around = (bytes: Buffer) =>
      Buffer.concat([Buffer.from([1, 2, 0x1f, 0x8b, 0x08, 9]), bytes, Buffer.from("end")]);
    await mkdir(join(dir, "inner"));
    await writeFile(join(dir, "plain"), text);
    await writeFile(join(dir, "inner", "gzip"), around(gzipSync(text)));
    await writeFile(join(dir, "cut"), gzipSync(text, { level: 0 }).subarray(0, -12));
    await writeFile(join(dir, "zstd"), around(zstdCompressSync(text)));
    await writeFile(join(dir, "none"), around(gzipSync("nothing")));
    const found = await marksInFiles(dir, ["Mark", "absent"]);
    expect(found.sort()).toEqual(["cut: Mark", "inner/gzip: Mark", "plain: Mark", "zstd: Mark"]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
