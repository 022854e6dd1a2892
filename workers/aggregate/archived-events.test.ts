import { describe, expect, test } from "vitest";
import { gzip } from "../gzip.ts";
import { readArchived } from "./archived-events.ts";
import { NOON_MS, payment } from "./sample-payments.ts";

const line = (id: string, receivedAtMs: number, merchant_id = "shop") =>
  `${JSON.stringify({ ...payment({ event_id: id, merchant_id }), received_at: receivedAtMs, source: "pos", batch: "b" })}\n`;

/** Members one after another, as the archive has them. */
function objectOf(...members: string[]): Uint8Array {
  return new Uint8Array(members.flatMap((member) => [...gzip(member)]));
}

async function read(body: Uint8Array) {
  const faults: string[] = [];
  const ids: string[] = [];
  await readArchived(
    body,
    ({ event }) => ids.push(event.event_id),
    (error) => faults.push(String(error)),
  );
  return { ids, faults };
}

describe("an archive object", () => {
  test("gives the events of all its members, as they stand", async () => {
    const body = objectOf(line("c", NOON_MS + 3) + line("x", NOON_MS, "other"), line("a", NOON_MS), line("b", NOON_MS));
    expect(await read(body)).toEqual({ ids: ["c", "x", "a", "b"], faults: [] });
  });

  test("is read through where lines take many chunks, in the middle of characters too", async () => {
    const members = [0, 1, 2].map((member) =>
      Array.from({ length: 2_000 }, (_, i) => line(`${member}-${i}`, NOON_MS + i, i % 2 === 0 ? "shop" : "other")),
    );
    const body = objectOf(
      ...members.map((lines) => lines.join("").replaceAll("card", "カード").replaceAll("pos", "レジ".repeat(9))),
    );
    const { ids, faults } = await read(body);
    expect(faults).toEqual([]);
    expect(new Set(ids).size).toBe(6_000);
  });

  test("with lines that are no events gives the others, and says how many there were", async () => {
    const { ids, faults } = await read(objectOf(`${line("a", NOON_MS)}no event\n{}\n${line("b", NOON_MS)}`));
    expect(ids).toEqual(["a", "b"]);
    expect(faults.length).toBe(1);
    expect(faults[0]).toContain("2 lines are no events");
  });

  test("that is cut off, or no gzip, gives what comes before, and says so", async () => {
    const whole = objectOf(line("a", NOON_MS), line("b", NOON_MS));
    const cut = await read(whole.slice(0, whole.byteLength - 5));
    expect(cut.ids[0]).toBe("a");
    expect(cut.faults.length).toBe(1);
    expect((await read(objectOf(line("a", NOON_MS).slice(0, -1)))).faults.length).toBe(1);
    expect(await read(new Uint8Array(9))).toMatchObject({ ids: [], faults: [expect.any(String)] });
  });
});
