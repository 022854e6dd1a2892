import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startCuttingProxy } from "../../scripts/cutting-proxy.ts";
import { manifestKey } from "../../shared/archive-key.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { requiredArchiveS3 } from "./archive-s3.ts";
import { type ArchivedObject, loadHours, loadObjects, objectsBetween } from "./archived-hours.ts";
import type { Loading } from "./archived-lines.ts";
import { compactHour } from "./compact-hour.ts";
import { EMPTY_MANIFEST, readManifest } from "./manifest.ts";
import { ARCHIVED_MS, archivedPayment, type Received } from "./sample-payments.ts";
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

describe("a reader", () => {
  const listedNow = async () => {
    const listed = [];
    for await (const object of objectsBetween(tested.bucket, ARCHIVED_MS, ARCHIVED_MS + HOUR_MS)) listed.push(object);
    return listed;
  };
  const load = (objects: Iterable<ArchivedObject>) =>
    loadObjects(tested.env, { replay: tested.newReplay(), merchants: [] }, objects);

  test("that listed before a compaction and reads after it fails, and finds everything when it lists again", async () => {
    await tested.deliver("1", [sent({ event_id: "1" })]);
    const lines = await listedNow();
    await tested.compact(ARCHIVED_MS);
    await expect(load(lines)).rejects.toThrow("has gone since");
    const parquet = await listedNow();
    await tested.deliver("2", [sent({ event_id: "2" })]);
    await tested.compact(ARCHIVED_MS);
    await expect(load(parquet)).rejects.toThrow("has gone since");
    expect(await load(await listedNow())).toEqual([]);
  });

  test("is told of Parquet that is damaged or gone, and of a manifest that cannot be read, and gets the rest", async () => {
    const hoursMs = [0, 1, 2, 3].map((hour) => ARCHIVED_MS + hour * HOUR_MS);
    for (const occurred_at of hoursMs) {
      await tested.deliver("1", [sent({ occurred_at })]);
      await tested.compact(occurred_at);
    }
    const [cut = "", gone = ""] = await tested.keysOf("raw/v1/", ".parquet");
    const bytes = new Uint8Array((await (await tested.bucket.get(cut))?.arrayBuffer()) ?? new ArrayBuffer(0));
    await tested.bucket.put(cut, bytes.slice(0, -9));
    await tested.bucket.delete(gone);
    await tested.bucket.put(manifestKey(ARCHIVED_MS + 2 * HOUR_MS), "{}");
    const replay = tested.newReplay();
    const damaged = await loadHours(tested.env, { replay, merchants: [] }, hoursMs);
    expect(damaged.map(({ key }) => key).sort()).toEqual([cut, gone, manifestKey(ARCHIVED_MS + 2 * HOUR_MS)].sort());
    const loaded = "SELECT toUnixTimestamp(hour) AS hour FROM archived_events WHERE replay = {replay:UInt64}";
    expect(await tested.query(loaded, { replay })).toEqual([{ hour: (ARCHIVED_MS + 3 * HOUR_MS) / 1000 }]);
  });

  test("gets only what it asks for: merchants, and a slice of them", async () => {
    const ids = ["a", "b", "c", "d", "e"];
    await tested.deliver(
      "1",
      ids.map((merchant_id) => sent({ merchant_id })),
    );
    await tested.compact(ARCHIVED_MS);
    const loaded = async (loading: Partial<Loading>) => {
      const replay = tested.newReplay();
      await loadHours(tested.env, { replay, merchants: [], ...loading }, [ARCHIVED_MS]);
      const rows = "SELECT merchant_id FROM archived_events WHERE replay = {replay:UInt64} ORDER BY merchant_id";
      return (await tested.query<{ merchant_id: string }>(rows, { replay })).map(({ merchant_id }) => merchant_id);
    };
    expect(await loaded({ merchants: ["b", "d"] })).toEqual(["b", "d"]);
    const slices = [await loaded({ slices: 2, slice: 0 }), await loaded({ slices: 2, slice: 1 })];
    expect(slices.flat().sort()).toEqual(ids);
    expect(slices[0]?.length).toBeLessThan(5);
  });

  test("is told what to configure when there is Parquet and no way to it", async () => {
    await tested.deliver("1", [sent({})]);
    await tested.compact(ARCHIVED_MS);
    const { ARCHIVE_S3_URL: _, ARCHIVE_S3_KEY_ID: __, ARCHIVE_S3_SECRET: ___, ...bare } = tested.env;
    await expect(loadHours(bare, { replay: tested.newReplay(), merchants: [] }, [ARCHIVED_MS])).rejects.toThrow(
      "ARCHIVE_S3_URL",
    );
    await expect(
      loadHours({ ...bare, ARCHIVE_S3_URL: "http://a" }, { replay: tested.newReplay(), merchants: [] }, [ARCHIVED_MS]),
    ).rejects.toThrow("go together");
  });
});

describe("a read that is cut off", () => {
  const load = async (env = tested.env) =>
    await loadHours(env, { replay: tested.newReplay(), merchants: [] }, [ARCHIVED_MS]);
  const many = Array.from({ length: 5_000 }, (_, n) => sent({ event_id: `e-${Math.imul(n, 0x9e3779b1)}` }));

  /** An archive of which the first reads of objects are changed by the way. */
  const changing = (bytesOf: (bytes: Uint8Array) => Uint8Array, reads: number) => {
    let read = 0;
    const get = async (key: string) => {
      const object = await tested.bucket.get(key);
      read += 1;
      if (object === null || read > reads) return object;
      const bytes = bytesOf(new Uint8Array(await object.arrayBuffer()));
      return { key, size: object.size, arrayBuffer: async () => bytes.slice().buffer };
    };
    const bucket = new Proxy(tested.bucket, {
      get: (real, property) => (property === "get" ? get : Reflect.get(real, property).bind(real)),
    });
    return { ...tested.env, ARCHIVE: bucket };
  };

  test("is no damage: it throws, and reads right the next time", async () => {
    await tested.deliver("1", many);
    await expect(load(changing((bytes) => bytes.slice(0, -100), 1))).rejects.toThrow("cut off");
    const flipped = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, at) => (at === 400 ? byte ^ 0x55 : byte));
    await expect(load(changing(flipped, 1))).rejects.toThrow("read otherwise the second time");
    expect(await load()).toEqual([]);
  });

  test("is none of a manifest either", async () => {
    await tested.deliver("1", many);
    await tested.compact(ARCHIVED_MS);
    await expect(load(changing((bytes) => bytes.slice(0, -9), 1))).rejects.toThrow("cut off");
  });

  test("is none where it is ClickHouse that reads: of objects to be compacted, and of Parquet", async () => {
    const proxy = await startCuttingProxy(tested.archive.s3.url);
    try {
      const env = { ...tested.env, ARCHIVE_S3_URL: proxy.url };
      const compact = () =>
        compactHour(env, requiredArchiveS3(env), ARCHIVED_MS, { nowMs: REVISION, bytesMax: BYTES_MAX });
      await tested.deliver("1", many);
      proxy.cutsOff = true;
      await expect(compact()).rejects.toThrow();
      const { manifest } = await readManifest(tested.bucket, ARCHIVED_MS);
      expect(manifest).toEqual(EMPTY_MANIFEST);
      proxy.cutsOff = false;
      expect(await compact()).toMatchObject({ objects: 1, damaged: 0 });
      proxy.cutsOff = true;
      await expect(load(env)).rejects.toThrow();
      proxy.cutsOff = false;
      expect(await load(env)).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });
});
