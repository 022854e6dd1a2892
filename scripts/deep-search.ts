import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { constants, inflateRawSync, zstdDecompressSync } from "node:zlib";
import type { ClickHouseClient } from "@clickhouse/client";

/** Which of some marks stand in a system's files: as they are, or packed. */

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** `<file>: <mark>` of each mark found below a folder, also within gzip and Zstandard (Parquet) anywhere in a file. */
export async function marksInFiles(dir: string, marks: readonly string[]): Promise<string[]> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const found: string[] = [];
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    // A file may go while others are read: what it held is in another one by then.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    for (const mark of marksIn(bytes, marks)) found.push(`${path.slice(dir.length + 1)}: ${mark}`);
  }
  return found;
}

export function marksIn(bytes: Buffer, marks: readonly string[]): string[] {
  const layers = [bytes, ...unpacked(bytes, GZIP, gunzipWhatIsThere), ...unpacked(bytes, ZSTD, zstdDecompressSync)];
  return marks.filter((mark) => layers.some((layer) => layer.includes(mark)));
}

/** The header of a member without a name or comment (RFC 1952 §2.3), as all of ours are. */
const GZIP_HEADER_BYTES = 10;

/** A member, whatever comes after it, or as much of it as is there. */
const gunzipWhatIsThere = (bytes: Buffer) =>
  inflateRawSync(bytes.subarray(GZIP_HEADER_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });

function unpacked(bytes: Buffer, magic: Buffer, unpack: (bytes: Buffer) => Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    try {
      all.push(unpack(bytes.subarray(at)));
    } catch {
      // Three bytes that only look like a beginning.
    }
  }
  return all;
}

/** `<table>: <mark>` of each mark found in any table of ClickHouse, its own logs included. */
export async function marksInClickHouse(sql: ClickHouseClient, marks: readonly string[]): Promise<string[]> {
  const tables = await sql.query({
    query: "SELECT concat(database, '.', name) AS name FROM system.tables WHERE engine LIKE '%MergeTree%'",
    format: "JSONEachRow",
  });
  const found: string[] = [];
  for (const { name } of await tables.json<{ name: string }>()) {
    const rows = await (await sql.query({ query: `SELECT * FROM ${name}`, format: "JSONEachRow" })).text();
    for (const mark of marks) if (rows.includes(mark)) found.push(`${name}: ${mark}`);
  }
  return found;
}
