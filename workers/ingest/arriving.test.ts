import { expect, test } from "vitest";
import { ARRIVING_BYTES_MAX, Arriving } from "./arriving.ts";
import { REQUEST_AGE_MS_MAX } from "./under-way.ts";

const MEGABYTE = 1_000_000;

/** Bodies by name, of which some are given up. */
function isolate() {
  const arriving = new Arriving();
  const givenUp: string[] = [];
  const begin = (name: string, nowMs = 0) => arriving.begin(nowMs, () => void givenUp.push(name));
  return { arriving, givenUp, begin };
}

test("however many bodies are on their way, no more is held of them than there is room for, and small ones arrive", () => {
  const { arriving, givenUp, begin } = isolate();
  const uploads = Array.from({ length: 300 }, (_, n) => begin(`large-${n}`));
  const smalls = Array.from({ length: 100 }, (_, n) => begin(`small-${n}`));
  for (const small of smalls) arriving.hold(small, 1_000, 0);
  for (let sent = 0; sent < 9; sent++) for (const upload of uploads) arriving.hold(upload, MEGABYTE, 0);
  const goOn = uploads.filter((_, n) => !givenUp.includes(`large-${n}`));
  expect(goOn.reduce((bytes, upload) => bytes + upload.bytes, 0)).toBeLessThanOrEqual(ARRIVING_BYTES_MAX);
  expect(goOn.length).toBeGreaterThan(0);
  expect(givenUp.filter((name) => name.startsWith("small"))).toEqual([]);
});

test("whoever has most is given up, once, and has nothing from then on", () => {
  const { arriving, givenUp, begin } = isolate();
  const [large, other] = [begin("large"), begin("other")];
  arriving.hold(large, ARRIVING_BYTES_MAX / 2 + 1, 0);
  arriving.hold(other, ARRIVING_BYTES_MAX / 2, 0);
  expect(givenUp).toEqual(["large"]);
  arriving.hold(large, ARRIVING_BYTES_MAX, 0);
  arriving.hold(other, ARRIVING_BYTES_MAX / 2, 0);
  expect(givenUp).toEqual(["large"]);
  arriving.hold(other, 1, 0);
  expect(givenUp).toEqual(["large", "other"]);
});

test("a body that is there leaves room for the next, told of once or twice", () => {
  const { arriving, givenUp, begin } = isolate();
  for (let n = 0; n < 10; n++) {
    const body = begin(`n-${n}`);
    arriving.hold(body, ARRIVING_BYTES_MAX, 0);
    arriving.end(body);
    arriving.end(body);
  }
  expect(givenUp).toEqual([]);
});

test("bodies whose end nobody tells of keep no room for ever", () => {
  const { arriving, givenUp, begin } = isolate();
  for (let n = 0; n < 48; n++) arriving.hold(begin(`gone-${n}`), MEGABYTE, 0);
  const body = begin("later", REQUEST_AGE_MS_MAX);
  arriving.hold(body, 10 * MEGABYTE, REQUEST_AGE_MS_MAX);
  expect(givenUp).toEqual([]);
});
