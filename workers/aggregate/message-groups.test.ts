import fc from "fast-check";
import { expect, test } from "vitest";
import { messageGroups } from "./message-groups.ts";

const messageOf = (bytes: number) => ({ body: new Uint8Array(bytes).buffer }) as unknown as Message;
const bytesOf = (messages: readonly Message[]) =>
  messages.reduce((sum, { body }) => sum + (body as ArrayBuffer).byteLength, 0);

test("every message is in one group, in order, and a group is within its size unless it is a single message", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120), { maxLength: 100 }), (sizes) => {
      const messages = sizes.map(messageOf);
      const groups = messageGroups(messages, 100);
      expect(groups.flat()).toEqual(messages);
      for (const group of groups) expect(group.length === 1 || bytesOf(group) <= 100).toBe(true);
      // No group could have taken the first message of the next one.
      groups.forEach((group, i) => {
        const next = groups[i + 1]?.slice(0, 1) ?? [messageOf(1_000)];
        expect(bytesOf([...group, ...next])).toBeGreaterThan(100);
      });
    }),
  );
});

test("bodies that are not bytes, which will be buried one by one, do not count", () => {
  const messages = ["text", { a: 1 }, null].map((body) => ({ body }) as unknown as Message);
  expect(messageGroups(messages, 10)).toEqual([messages]);
});
