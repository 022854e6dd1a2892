import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { err, ok } from "../../../shared/result.ts";
import { DAY_MS } from "../../../shared/window.ts";
import { CORRECTION_SETTLES_MS } from "../../directory/corrections.ts";
import { CachedReads } from "./cached-reads.ts";
import { FINAL_KEPT_MS, STALE_KEPT_MS } from "./lifetime.ts";
import { NOON_MS, readFrom, SampleWorld, shownBy } from "./sample-world.ts";

const FINAL_AGO_MS = 10 * 86_400_000;
const PROVISIONAL_AGO_MS = 3_600_000;
const OPEN_AGO_MS = -600_000;

async function valueRead(reads: CachedReads, world: SampleWorld, agoMs = FINAL_AGO_MS): Promise<number> {
  return shownBy((await readFrom(reads, world.question(agoMs), world.around)).answer);
}

describe("how long an answer is given again", () => {
  test("a final one for four weeks, asking no shard", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    await valueRead(reads, world);
    world.mark += 1;
    world.nowMs += FINAL_KEPT_MS - 1;
    await valueRead(reads, world);
    expect(world.computed).toBe(1);
    world.later();
    await valueRead(reads, world);
    expect(world.computed).toBe(2);
  });

  test.each([
    ["provisional", PROVISIONAL_AGO_MS],
    ["open", OPEN_AGO_MS],
  ])("one that is %s until the next tick, if no window of it has changed", async (_, agoMs) => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    await valueRead(reads, world, agoMs);
    world.later(119_000);
    await valueRead(reads, world, agoMs);
    expect(world.computed).toBe(1);
    // Two minutes after noon the window before it closes.
    world.later(1_000);
    await valueRead(reads, world, agoMs);
    expect(world.computed).toBe(2);
  });

  test("what is counted late shows after half a second", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    await valueRead(reads, world, PROVISIONAL_AGO_MS);
    world.value = 2;
    world.mark += 1;
    const { key } = world.question(PROVISIONAL_AGO_MS);
    expect(reads.believed(key, world.nowMs)).toBeDefined();
    world.later();
    expect(reads.believed(key, world.nowMs)).toBeUndefined();
    expect(await valueRead(reads, world, PROVISIONAL_AGO_MS)).toBe(2);
  });

  test("who doubts what is kept is given what is right now, which may be that", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const doubting = { ...world.around, believedMs: 0 };
    const read = async () => shownBy((await readFrom(reads, world.question(PROVISIONAL_AGO_MS), doubting)).answer);
    await read();
    expect(await read()).toBe(1);
    expect(world.computed).toBe(1);
    world.value = 2;
    world.mark += 1;
    expect(await read()).toBe(2);
    world.value = 3;
    world.correct();
    expect(await read()).toBe(3);
  });

  test("what turns out to be unanswerable is told, and asked for again", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    let asked = 0;
    const problem = { status: 400, code: "too_many_groups", title: "Too many" };
    const answer = async () => {
      asked += 1;
      return err(problem);
    };
    for (const _ of [1, 2])
      expect(await reads.read({ ...world.question(), answer }, world.around)).toEqual(err(problem));
    expect(asked).toBe(2);
  });

  test("one without a mark only as long as it is believed", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const around = { ...world.around, markOf: async () => null };
    const read = () => readFrom(reads, world.question(OPEN_AGO_MS), around);
    await read();
    world.later();
    await read();
    expect(world.computed).toBe(2);
  });

  test("a table that is too long to be kept is made once for all who ask at the time, each of whom has a stream, and anew for the next", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const stream = () => new Response("long");
    const question = {
      ...world.question(),
      answer: async () => {
        world.computed += 1;
        await Promise.resolve();
        return err({ stream });
      },
    };
    const asked = await Promise.all([1, 2].map(() => reads.read(question, world.around)));
    expect(asked).toEqual([err({ stream }), err({ stream })]);
    expect(world.computed).toBe(1);
    await reads.read(question, world.around);
    expect(world.computed).toBe(2);
  });

  test("one that lacks something is not given again", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const whole = world.question();
    const partial = async () => {
      const answered = await whole.answer();
      return answered.ok ? ok({ ...answered.value, isPartial: true }) : answered;
    };
    const question = { ...whole, answer: partial };
    await readFrom(reads, question, world.around);
    await readFrom(reads, question, world.around);
    expect(world.computed).toBe(2);
  });
});

describe("a correction", () => {
  test("of the merchant, or of all, makes what was kept unreachable, in this isolate and in the data center; others' stays", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    await valueRead(reads, world);
    await readFrom(reads, world.question(FINAL_AGO_MS, "other"), world.around);
    world.value = 2;
    world.correct("shop");
    world.later();
    expect(await valueRead(reads, world)).toBe(2);
    expect((await readFrom(reads, world.question(FINAL_AGO_MS, "other"), world.around)).origin).toBe("isolate");
    world.value = 3;
    world.correct(null);
    world.later();
    expect(await valueRead(new CachedReads(), world)).toBe(3);
    expect(await valueRead(reads, world)).toBe(3);
    expect((await readFrom(reads, world.question(FINAL_AGO_MS, "other"), world.around)).origin).toBe("computed");
  });

  test("that was noted before windows are written, by somebody who died then, is not trusted for long", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    world.correct();
    await valueRead(reads, world);
    world.value = 2; // Written, and nothing noted.
    world.later(CORRECTION_SETTLES_MS);
    expect(await valueRead(reads, world)).toBe(2);
    world.later(FINAL_KEPT_MS - 1);
    expect((await readFrom(reads, world.question(), world.around)).origin).toBe("isolate");
  });

  test("among more than an isolate reads at once is looked up, one by one", async () => {
    const world = new SampleWorld();
    await valueRead(new CachedReads(), world);
    for (let n = 0; n < 3_000; n++) world.correct(`m${n}`);
    const around = {
      ...world.around,
      correctionsAfter: async (seq: number) => (await world.around.correctionsAfter(seq)).slice(0, 1_000),
    };
    const others = new CachedReads();
    expect((await readFrom(others, world.question(), around)).origin).toBe("edge");
    world.value = 2;
    for (let n = 0; n < 3_000; n++) world.correct(n === 0 ? "shop" : `m${n}`);
    world.later();
    expect(shownBy((await readFrom(others, world.question(), around)).answer)).toBe(2);
  });

  test("is not known of while the directory is away: what is known serves a minute, and then all is made anew", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    await valueRead(reads, world);
    world.isDirectoryAway = true;
    world.value = 2;
    world.correct();
    world.later(59_000);
    expect(await valueRead(reads, world)).toBe(1);
    world.later(1_000);
    expect(await valueRead(reads, world)).toBe(2);
    world.value = 3;
    expect(await valueRead(reads, world)).toBe(3);
    world.isDirectoryAway = false;
    world.later();
    expect(await valueRead(reads, world)).toBe(3);
  });

  test("that cannot be asked for, as history cannot, leaves what is kept to be given as stale, unless it is known to be wrong", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const [known, other] = [world.question(), world.question(20 * DAY_MS, "other")];
    for (const question of [known, other]) await readFrom(reads, question, world.around);
    world.correct("other");
    world.later();
    await readFrom(reads, known, world.around);
    Object.assign(world, { isDirectoryAway: true, isHistoryAway: true });
    world.later(61_000);
    await expect(readFrom(reads, known, world.around)).rejects.toThrow("history away");
    expect(await reads.stale([known.key], world.around)).toMatchObject({ merchantId: "shop" });
    expect(await reads.stale([other.key], world.around)).toBeUndefined();
    // An isolate that has only begun knows of no correction at all.
    expect(await new CachedReads().stale([known.key], world.around)).toMatchObject({ merchantId: "shop" });
  });
});

test("never do answers begun before, during and after a correction outlive it, in whatever order things happen", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("write", "note", "read", "later"), { maxLength: 12 }), async (steps) => {
      const world = new SampleWorld();
      const isolates = [new CachedReads(), new CachedReads()];
      const writer = { isWritten: false };
      const step = async (name: string, at: number) => {
        if (name === "later") world.later();
        if (name === "read") await readFrom(isolates[at % 2] ?? new CachedReads(), world.question(), world.around);
        // Windows first, then the note.
        if (name === "write" && !writer.isWritten) {
          writer.isWritten = true;
          world.value += 1;
        }
        if (name === "note" && writer.isWritten) {
          writer.isWritten = false;
          world.correct();
        }
      };
      for (const [at, name] of steps.entries()) {
        world.meanwhile = async () => {
          world.meanwhile = () => {};
          await step(steps[at + 1] ?? "later", at + 1);
        };
        await step(name, at);
      }
      if (writer.isWritten) world.correct();
      world.later();
      for (const reads of [...isolates, new CachedReads()]) expect(await valueRead(reads, world)).toBe(world.value);
    }),
  );
});

describe("while history is away", () => {
  test("what is kept is given an hour beyond its time, but not once it was corrected", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const question = world.question(PROVISIONAL_AGO_MS);
    await readFrom(reads, question, world.around);
    world.isHistoryAway = true;
    world.mark += 1;
    world.later();
    await expect(readFrom(reads, question, world.around)).rejects.toThrow("history away");
    expect(await reads.stale(["none", question.key], world.around)).toMatchObject({ merchantId: "shop" });
    expect(await new CachedReads().stale([question.key], world.around)).toMatchObject({ merchantId: "shop" });
    world.later(STALE_KEPT_MS);
    expect(await reads.stale([question.key], world.around)).toBeDefined();
    world.later(600_000);
    expect(await reads.stale([question.key], world.around)).toBeUndefined();
  });

  test("a corrected one is not", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const question = world.question();
    await readFrom(reads, question, world.around);
    world.correct();
    world.isHistoryAway = true;
    world.later();
    await expect(readFrom(reads, question, world.around)).rejects.toThrow("history away");
    expect(await reads.stale([question.key], world.around)).toBeUndefined();
  });
});

describe("many who ask the same at once", () => {
  test("have it computed once", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.meanwhile = () => promise;
    const all = Array.from({ length: 50 }, () => valueRead(reads, world, OPEN_AGO_MS));
    resolve();
    expect(new Set(await Promise.all(all))).toEqual(new Set([1]));
    expect(world.computed).toBe(1);
  });

  test("are not given what was begun before they came, if it has changed since", async () => {
    const world = new SampleWorld();
    const reads = new CachedReads();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.meanwhile = () => promise;
    const first = valueRead(reads, world, OPEN_AGO_MS);
    await until(() => world.computed === 1);
    world.later();
    world.value = 2;
    world.mark += 1;
    const second = valueRead(reads, world, OPEN_AGO_MS);
    resolve();
    expect(await Promise.all([first, second])).toEqual([1, 2]);
  });
});

test("questions end in the future, too", async () => {
  const world = new SampleWorld();
  expect(await valueRead(new CachedReads(), world, NOON_MS - Date.UTC(2031, 0))).toBe(1);
  expect(world.edge.size).toBe(1);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Promise.resolve();
}
