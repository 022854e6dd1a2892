import { expect, test } from "vitest";
import { servedMetrics } from "./ground-truth.ts";
import { askingOf, readingOf } from "./verify-progress.ts";

const DAY_MS = 86_400_000;

function lineOf() {
  const told: (readonly [share: number | undefined, text: string])[] = [];
  return { told, line: { update: (share: number | undefined, text: string) => void told.push([share, text]) } };
}

test("while a file is read it is said how much of it, and of a pipe that it is", async () => {
  const whole = ["12345", "67890"].map((text) => Buffer.from(text));
  for (const totalBytes of [10, undefined]) {
    let read = 0;
    async function* chunks() {
      for (const chunk of whole) {
        read += chunk.length;
        yield chunk;
      }
    }
    const { told, line } = lineOf();
    const file = { chunks: chunks(), readBytes: () => read, ...(totalBytes === undefined ? {} : { totalBytes }) };
    expect(await Array.fromAsync(readingOf(file, line))).toEqual(whole);
    const shares = totalBytes === undefined ? [undefined, undefined] : [0.5, 1];
    expect(told).toEqual(shares.map((share) => [share, "reading the file"]));
  }
});

test("while the API is asked for every window each answer is told, up to the last", async () => {
  const { told, line } = lineOf();
  const nothing = async () => Response.json({ series: [] });
  await servedMetrics(nothing, ["b", "a"], 0, 20 * DAY_MS, askingOf(2, line));
  expect(told).toEqual([
    [0.25, "API: merchant 1 of 2"],
    [0.5, "API: merchant 1 of 2"],
    [0.75, "API: merchant 2 of 2"],
    [1, "API: merchant 2 of 2"],
  ]);
});
