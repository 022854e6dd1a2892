import { expect, test } from "vitest";
import { MESSAGE_BYTES_MAX, MESSAGE_METADATA_BYTES, refusalOf } from "./queue-limits.ts";

const messages = (count: number, bytes: number, delayS = 0) =>
  Array.from({ length: count }, () => ({ body: new Uint8Array(bytes), delayS }));

test("a message may fill its 128 KB together with the platform's metadata, and no byte more", () => {
  const bytesMax = MESSAGE_BYTES_MAX - MESSAGE_METADATA_BYTES;
  expect(refusalOf(messages(1, bytesMax))).toBeUndefined();
  expect(refusalOf(messages(1, bytesMax + 1))).toMatch(/128001 bytes/);
});

test("a call takes a hundred messages and 256 KB", () => {
  expect(refusalOf(messages(100, 2_560))).toBeUndefined();
  expect(refusalOf(messages(101, 1))).toMatch(/101 messages/);
  expect(refusalOf(messages(100, 2_561))).toMatch(/256100 bytes/);
});

test("a delay is whole seconds, at most a day", () => {
  expect(refusalOf(messages(1, 1, 86_400))).toBeUndefined();
  for (const delayS of [-1, 0.5, 86_401]) expect(refusalOf(messages(1, 1, delayS))).toMatch(/delay/);
});
