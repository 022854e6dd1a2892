import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { archiveKey, archivePrefix, manifestKey } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { loadHours, objectsBetween } from "./archived-hours.ts";
import { compactHour } from "./compact-hour.ts";
import { EMPTY_MANIFEST, readManifest, writeManifest } from "./manifest.ts";
import { ARCHIVED_MS, archivedPayment, gzippedLines, type Received } from "./sample-payments.ts";
import { ArchiveUnderTest, BYTES_MAX, REVISION } from "./test-archive.node.ts";

let tested: ArchiveUnderTest;
beforeAll(async () => {
  tested = await ArchiveUnderTest.start();
});
afterAll(() => tested?.stop());
beforeEach(() => tested.empty());

/** A payment of the hour, received an hour later. */
function sent(over: Partial<PaymentEvent>, receivedAtMs = ARCHIVED_MS + HOUR_MS, batch = "r"): Received {
  return { event: archivedPayment(over), receivedAtMs, batch };
}

const filesOf = async () => (await readManifest(tested.bucket, ARCHIVED_MS)).manifest.files;
const parquetKeys = () => tested.keysOf(archivePrefix(ARCHIVED_MS), ".parquet");

describe("an object that cannot be read whole", () => {
  const many = Array.from({ length: 50 }, (_, n) => sent({ event_id: `e-${n}-${Math.imul(n, 0x9e3779b1)}` }));
  const text = (json: string) => Uint8Array.from(gzipSync(json));

  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ["cut off", gzippedLines(many).slice(0, -20)],
    ["with a byte changed", Uint8Array.from(gzippedLines(many), (byte, at) => (at === 40 ? byte ^ 0x55 : byte))],
    ["that is no gzip", Uint8Array.from(Buffer.from("not gzip at all"))],
    ["that is empty", new Uint8Array(0)],
    ["of something else than events", text("hello\n")],
    ["of lines that are no events", text('{"event_id":"a"}\n')],
    ["with a field that no event has", text('{"event_id":"a","user":{"shoe_size":"44"}}\n')],
  ])("%s stays and is named, the others of its hour are compacted", async (_, damaged) => {
    const key = archiveKey(ARCHIVED_MS, "2");
    await tested.deliver("1", [sent({ event_id: "1" })]);
    await tested.bucket.put(key, damaged);
    await tested.deliver("3", [sent({ event_id: "3" })]);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 2, events: 2, damaged: 1 });
    expect(await tested.keysOf("raw/v1/", ".gz")).toEqual([key]);
    const { manifest } = await readManifest(tested.bucket, ARCHIVED_MS);
    expect(manifest.damaged.map(({ name }) => name)).toEqual(["2.ndjson.gz"]);
    // It is not tried again while it is what it was, and keeps nothing from being compacted.
    await tested.deliver("4", [sent({ event_id: "4" })]);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 1, events: 3, damaged: 1 });
    await tested.bucket.put(key, gzippedLines([sent({ event_id: "2" })]));
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 1, events: 4, damaged: 0 });
  });

  test("alone in its hour leaves it as it is", async () => {
    await tested.bucket.put(archiveKey(ARCHIVED_MS, "1"), "not gzip at all");
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 0, events: 0, damaged: 1 });
    expect(await tested.keysOf("raw/v1/")).toEqual([archiveKey(ARCHIVED_MS, "1"), manifestKey(ARCHIVED_MS)]);
  });
});

describe("a pass that died", () => {
  const event = sent({ event_id: "1" });

  test("before the manifest named it: its Parquet counts nothing, and is removed by a later one, once it is old enough to be nobody's", async () => {
    await tested.deliver("1", [event]);
    const [orphan = ""] = await dieAfterWriting();
    expect(await filesOf()).toEqual([]);
    expect((await tested.counted([ARCHIVED_MS])).windows).toHaveLength(1);
    const limits = { nowMs: Date.now(), bytesMax: BYTES_MAX };
    await compactHour(tested.env, requiredArchiveS3(tested.env), ARCHIVED_MS, limits);
    expect(await parquetKeys()).toContain(orphan);
    await compactHour(tested.env, requiredArchiveS3(tested.env), ARCHIVED_MS, {
      ...limits,
      nowMs: Date.now() + 2 * HOUR_MS,
    });
    expect(await parquetKeys()).not.toContain(orphan);
    expect((await tested.counted([ARCHIVED_MS])).windows).toHaveLength(1);
  });

  /** A pass that ends when its Parquet stands and the manifest is to name it; answers what there is of Parquet then. */
  async function dieAfterWriting(): Promise<string[]> {
    let puts = 0;
    const put = (...given: Parameters<R2Bucket["put"]>) => {
      puts += 1;
      if (puts > 1) throw new Error("died");
      return tested.bucket.put(...given);
    };
    const bucket = new Proxy(tested.bucket, {
      get: (real, property) => (property === "put" ? put : Reflect.get(real, property).bind(real)),
    });
    const limits = { nowMs: REVISION, bytesMax: BYTES_MAX };
    const env = { ...tested.env, ARCHIVE: bucket };
    await expect(compactHour(env, requiredArchiveS3(env), ARCHIVED_MS, limits)).rejects.toThrow("died");
    return await parquetKeys();
  }

  test("before the objects were removed: they are not counted twice, and are removed by the next", async () => {
    const twice = [event, sent({ event_id: "2" })];
    await tested.deliver("1", twice);
    const before = await tested.counted([ARCHIVED_MS]);
    await tested.compact(ARCHIVED_MS);
    await tested.deliver("1", twice);
    expect(await tested.counted([ARCHIVED_MS])).toEqual(before);
    const listed = [];
    for await (const { kind } of objectsBetween(tested.bucket, ARCHIVED_MS, ARCHIVED_MS + HOUR_MS)) listed.push(kind);
    expect(listed).toEqual(["parquet"]);
    await tested.compact(ARCHIVED_MS);
    expect(await tested.keysOf("raw/v1/", ".gz")).toEqual([]);
  });

  test("nothing is removed when the file cannot be found again, or another pass has written the manifest", async () => {
    await tested.deliver("1", [event]);
    const failing = (name: "head" | "put", answer: unknown) =>
      new Proxy(tested.bucket, {
        get: (bucket, property) =>
          property === name ? async () => answer : Reflect.get(bucket, property).bind(bucket),
      });
    for (const bucket of [failing("head", null), failing("put", null)]) {
      const limits = { nowMs: REVISION, bytesMax: BYTES_MAX };
      const pass = compactHour({ ...tested.env, ARCHIVE: bucket }, requiredArchiveS3(tested.env), ARCHIVED_MS, limits);
      await expect(pass).rejects.toThrow();
      expect(await tested.keysOf("raw/v1/", ".gz")).toHaveLength(1);
    }
    expect((await tested.counted([ARCHIVED_MS])).windows).toHaveLength(1);
  });

  test("a manifest that another pass has written meanwhile is not overwritten", async () => {
    await writeManifest(tested.bucket, ARCHIVED_MS, EMPTY_MANIFEST, undefined);
    await expect(writeManifest(tested.bucket, ARCHIVED_MS, EMPTY_MANIFEST, undefined)).rejects.toThrow("by another");
    const { etag } = await readManifest(tested.bucket, ARCHIVED_MS);
    await writeManifest(
      tested.bucket,
      ARCHIVED_MS,
      { ...EMPTY_MANIFEST, damaged: [{ name: "a", etag: "b", reason: "c" }] },
      etag,
    );
    await expect(writeManifest(tested.bucket, ARCHIVED_MS, EMPTY_MANIFEST, etag)).rejects.toThrow("by another");
  });
});

describe("Parquet that has lost its manifest", () => {
  const of = (...ids: string[]) => ids.map((event_id) => sent({ event_id }));
  const later = () => ({ nowMs: Date.now() + 2 * HOUR_MS, bytesMax: BYTES_MAX });

  test("counts all the same, beside what came late, and is named anew by the next pass; nothing is removed", async () => {
    await tested.deliver("1", of("1", "2"));
    await tested.compact(ARCHIVED_MS);
    await tested.deliver("2", of("2", "3"));
    const expected = await tested.counted([ARCHIVED_MS]);
    await tested.bucket.delete(manifestKey(ARCHIVED_MS));
    expect(await tested.counted([ARCHIVED_MS])).toEqual(expected);
    expect(await tested.compact(ARCHIVED_MS)).toMatchObject({ objects: 1, events: 3 });
    expect(await filesOf()).toHaveLength(1);
    await compactHour(tested.env, requiredArchiveS3(tested.env), ARCHIVED_MS, later());
    expect(await tested.counted([ARCHIVED_MS])).toEqual(expected);
  });

  test("is named anew when nothing came late", async () => {
    await tested.deliver("1", of("1"));
    await tested.compact(ARCHIVED_MS);
    await tested.bucket.delete(manifestKey(ARCHIVED_MS));
    await tested.compact(ARCHIVED_MS);
    expect(await filesOf()).toMatchObject([{ events: 1 }]);
  });

  test("is damaged to readers when it cannot be read, and keeps its hour from being compacted", async () => {
    await tested.deliver("1", of("1"));
    await tested.compact(ARCHIVED_MS);
    await tested.bucket.delete(manifestKey(ARCHIVED_MS));
    const [key = ""] = await parquetKeys();
    await tested.bucket.put(key, "half a file");
    await tested.deliver("2", of("2"));
    const damaged = await loadHours(tested.env, { replay: tested.newReplay(), merchants: [] }, [ARCHIVED_MS]);
    expect(damaged.map((object) => object.key)).toEqual([key]);
    await expect(tested.compact(ARCHIVED_MS)).rejects.toThrow(`${key} has lost its manifest`);
    expect(await tested.keysOf("raw/v1/")).toHaveLength(2);
  });
});
