import { expect, test } from "vitest";
import { CROWD_BURST_MS, CROWD_PASSES_MS } from "./crowd-pace.ts";
import {
  ARRIVED_SHARE_MIN,
  CROWD_REQUESTS_MIN,
  CROWD_WORK_MS_MAX,
  HEAD_START_SHARE_MAX,
  KILOBYTE_MS,
  LEFT_SHARE_WAITING,
  REQUEST_AGE_MS_MAX,
  REQUEST_MS,
  UnderWay,
  UPLOAD_MS_MAX,
  WORK_MS_MAX,
  type Work,
} from "./under-way.ts";

const headersOf = (bytes: number, more: Record<string, string> = {}) =>
  new Headers({ "Content-Length": String(bytes), ...more });
const costOf = (bytes: number) => REQUEST_MS + (bytes / 1000) * KILOBYTE_MS;
/** How many requests with bodies of so many bytes an isolate takes on, none of which waits yet. */
const roomFor = (bytes: number) =>
  Math.min(
    Math.ceil(WORK_MS_MAX / costOf(bytes)),
    Math.max(CROWD_REQUESTS_MIN, Math.ceil(CROWD_WORK_MS_MAX / costOf(bytes))),
  );

/** As many as there is room for, all of them read. */
function filled(bytes = 1_000, nowMs = 0, underWay = new UnderWay()) {
  const works = Array.from({ length: roomFor(bytes) }, () => {
    expect(underWay.isFull(nowMs)).toBe(false);
    const work = underWay.begin(headersOf(bytes), nowMs);
    underWay.read(work, bytes, nowMs);
    return work;
  });
  expect(underWay.isFull(nowMs)).toBe(true);
  return { underWay, works };
}

test("an isolate is full with so much work, in many small requests or few large ones, and has room when one is answered", () => {
  expect(roomFor(420)).toBeGreaterThan(40);
  expect(roomFor(420_000)).toBeGreaterThan(8);
  for (const bytes of [420, 42_000, 100_000, 420_000]) {
    const { underWay, works } = filled(bytes);
    for (const work of works.slice(0, 1)) underWay.end(work);
    expect(underWay.isFull(0)).toBe(false);
  }
});

test("a request larger than all an isolate takes on at a time is taken when there is room at all, alone even directly", () => {
  const underWay = new UnderWay();
  const large = underWay.begin(headersOf(10_000_000), 0);
  expect(underWay.read(large, 10_000_000, 0)).toBe("head start");
  expect(underWay.isFull(0)).toBe(true);
  underWay.end(large);
  underWay.end(large);
  expect(underWay.isFull(0)).toBe(false);
});

test.each([420, 42_000, 420_000])(
  "the shards are called directly until most of it is under way, in requests of %d bytes",
  (bytes) => {
    const underWay = new UnderWay();
    const outcomes = Array.from({ length: roomFor(bytes) }, () =>
      underWay.read(underWay.begin(headersOf(bytes), 0), bytes, 0),
    );
    const direct = outcomes.filter((outcome) => outcome === "head start").length;
    expect(outcomes).toEqual(outcomes.map((_, at) => (at < direct ? "head start" : "log")));
    expect(direct / outcomes.length).toBeGreaterThan(HEAD_START_SHARE_MAX - 0.16);
    expect(direct).toBeLessThan(outcomes.length);
  },
);

test("of a crowd those count less that only wait; what is under way has its limit all the same", () => {
  const underWay = new UnderWay();
  let begun = 0;
  for (; !underWay.isFull(0); begun += 1) {
    const work = underWay.begin(headersOf(42_000), 0);
    underWay.read(work, 42_000, 0);
    underWay.wait(work);
  }
  expect(begun).toBe(Math.ceil(CROWD_WORK_MS_MAX / (costOf(42_000) * LEFT_SHARE_WAITING)));
  expect(begun * costOf(42_000)).toBeLessThan(WORK_MS_MAX);
  for (const bytes of [420_000, 1_000_000]) {
    const large = new UnderWay();
    for (begun = 0; !large.isFull(0); begun += 1) {
      const work = large.begin(headersOf(bytes), 0);
      large.read(work, bytes, 0);
      large.wait(work);
    }
    expect(begun).toBe(Math.ceil(WORK_MS_MAX / costOf(bytes)));
  }
});

test("what waits leaves nothing behind when it ends, whether it is told once, twice or too late", () => {
  const { underWay, works } = filled(42_000);
  for (const work of works) {
    underWay.wait(work);
    underWay.wait(work);
    underWay.end(work);
    underWay.wait(work);
    underWay.end(work);
  }
  const again = filled(42_000, 0, underWay).works;
  expect(again).toHaveLength(works.length);
});

test("a compressed body counts by what it will be, and by what it was once it is unpacked", () => {
  const underWay = new UnderWay();
  const there = underWay.begin(headersOf(1_000_000), 0);
  underWay.read(there, 1_000_000, 0);
  expect(underWay.isFull(0)).toBe(false);
  const gzip = headersOf(500_000, { "Content-Encoding": "gzip" });
  const work = underWay.begin(gzip, 0);
  expect(underWay.isFull(0)).toBe(true);
  expect(underWay.read(work, 600_000, 0)).toBe("head start");
  expect(underWay.isFull(0)).toBe(false);
});

test.each([40, 200])(
  "of %d requests a second that say they are large and send nothing a crowd has no loss",
  (liars) => {
    const STEP_MS = 1_000 / liars;
    const takenOf = (isBeside: boolean) => {
      const underWay = new UnderWay();
      let taken = 0;
      for (let nowMs = 0; nowMs < 10_000; nowMs += STEP_MS) {
        underWay.refuse(headersOf(0), nowMs);
        if (isBeside) underWay.end(underWay.begin(headersOf(10_000_000), nowMs));
        if (Math.floor(nowMs / 50) === Math.floor((nowMs - STEP_MS) / 50) || underWay.isFull(nowMs)) continue;
        const honest = underWay.begin(headersOf(42_000), nowMs);
        underWay.read(honest, 42_000, nowMs);
        underWay.end(honest);
        taken += 1;
      }
      return taken;
    };
    expect(takenOf(true)).toBeGreaterThan(0.9 * takenOf(false));
  },
);

test.each([1, 24, 300])("%d slow uploads lock nobody out, however much they say they are", (uploads) => {
  const underWay = new UnderWay();
  const slow = Array.from({ length: uploads }, () => underWay.begin(headersOf(1_000_000), 0));
  for (let sent = 0; sent < 50; sent += 1) {
    expect(underWay.isFull(0)).toBe(false);
    const work = underWay.begin(headersOf(420), 0);
    expect(underWay.read(work, 420, 0)).toBe("head start");
    underWay.wait(work);
    // As many as a crowd waits for the log.
    if (sent >= CROWD_REQUESTS_MIN) underWay.end(work);
  }
  for (const work of slow) underWay.end(work);
  expect(underWay.isFull(0)).toBe(false);
});

test("a body that is on its way has a place: what has arrived and what comes fill an isolate together", () => {
  const underWay = new UnderWay();
  const there = filled(42_000, 0, underWay).works;
  for (const work of there.slice(Math.ceil(there.length * ARRIVED_SHARE_MIN) + 1)) underWay.end(work);
  expect(underWay.isFull(0)).toBe(false);
  for (let coming = 0; coming < CROWD_REQUESTS_MIN; coming += 1) underWay.begin(headersOf(42_000), 0);
  expect(underWay.isFull(0)).toBe(true);
});

test("of a crowd that comes all at once no more is taken on than there is room for", () => {
  const underWay = new UnderWay();
  const crowd = Array.from({ length: 300 }, () => underWay.begin(headersOf(42_000), 0));
  const outcomes = crowd.map((work) => underWay.read(work, 42_000, 0));
  expect(outcomes.filter((outcome) => outcome !== "nothing")).toHaveLength(roomFor(42_000));
});

test("an upload that takes longer than a second is taken if there is room when it is there, and refused if not", () => {
  const underWay = new UnderWay();
  const { works } = filled(100_000, 0, underWay);
  for (const work of works.slice(0, 4)) underWay.end(work);
  const slow = Array.from({ length: 300 }, () => underWay.begin(headersOf(100_000), 0));
  expect(underWay.isFull(UPLOAD_MS_MAX - 1)).toBe(true);
  expect(underWay.isFull(UPLOAD_MS_MAX)).toBe(false);
  const outcomes = slow.map((work) => underWay.read(work, 100_000, UPLOAD_MS_MAX));
  expect(outcomes.filter((outcome) => outcome !== "nothing")).toHaveLength(4);
  for (const work of [...slow, ...works]) underWay.end(work);
  expect(underWay.isFull(UPLOAD_MS_MAX)).toBe(false);
});

test("an upload that is overtaken is taken as long as what has arrived leaves room, whatever else is on its way", () => {
  const underWay = new UnderWay();
  const large = underWay.begin(headersOf(420_000), 0);
  const { works } = filled(42_000, 0, underWay);
  for (const work of works.slice(0, 4)) {
    underWay.end(work);
    underWay.begin(headersOf(42_000), 0);
  }
  expect(underWay.isFull(0)).toBe(true);
  expect(underWay.read(large, 420_000, 0)).toBe("log");
});

test("requests whose end nobody tells of do not fill an isolate for ever", () => {
  const { underWay, works } = filled();
  expect(underWay.isFull(REQUEST_AGE_MS_MAX - 1)).toBe(true);
  expect(underWay.isFull(REQUEST_AGE_MS_MAX)).toBe(false);
  // Told of after all, they take nothing from those that came after them.
  const next = underWay.begin(headersOf(10_000_000), REQUEST_AGE_MS_MAX);
  underWay.read(next, 10_000_000, REQUEST_AGE_MS_MAX);
  for (const work of works) underWay.end(work);
  expect(underWay.isFull(REQUEST_AGE_MS_MAX)).toBe(true);
  underWay.end(next);
  expect(underWay.isFull(REQUEST_AGE_MS_MAX)).toBe(false);
});

test("while requests are refused, an isolate with room refuses more when it has taken enough of late, and not once nobody is refused any more", () => {
  const { underWay, works } = filled(42_000);
  underWay.refuse(headersOf(42_000), 0);
  for (const work of works) underWay.end(work);
  let taken = 0;
  for (; !underWay.isFull(0) && taken < 100; taken += 1) {
    const work = underWay.begin(headersOf(42_000), 0);
    underWay.read(work, 42_000, 0);
    underWay.end(work);
  }
  expect(taken).toBe(Math.ceil(CROWD_BURST_MS / costOf(42_000)));
  expect(underWay.isFull(CROWD_PASSES_MS)).toBe(false);
});

test("of a crowd that comes at once no more is taken than of one that comes in a row, and its bodies are paid once", () => {
  const underWay = new UnderWay();
  underWay.refuse(headersOf(42_000), 0);
  const taken: Work[] = [];
  while (!underWay.isFull(0) && taken.length < 100) taken.push(underWay.begin(headersOf(42_000), 0));
  expect(taken).toHaveLength(Math.ceil(CROWD_BURST_MS / costOf(42_000)));
  for (const work of taken) expect(underWay.read(work, 42_000, 0)).not.toBe("nothing");
  expect(underWay.isFull(0)).toBe(true);
  expect(underWay.isFull(CROWD_BURST_MS)).toBe(false);
});

test("in a crowd a body that only says to be large keeps others out for no longer than a burst takes", () => {
  const underWay = new UnderWay();
  underWay.refuse(headersOf(42_000), 0);
  underWay.begin(headersOf(10_000_000), 0);
  expect(underWay.isFull(0)).toBe(true);
  expect(underWay.isFull(CROWD_BURST_MS)).toBe(false);
});

test("refusals are reported once a second, all of them", () => {
  const underWay = new UnderWay();
  const reports = [1_000, 1_001, 1_999, 2_000, 9_000].map((nowMs) => underWay.refuse(headersOf(1_000), nowMs));
  expect(reports).toEqual([1, undefined, undefined, 3, 1]);
});
