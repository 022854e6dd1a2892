import fc from "fast-check";
import { expect, test } from "vitest";
import { RECENT_TEXTS_MAX, RecentTexts } from "./recent-texts.ts";
import { TextTable } from "./text-table.ts";

const listOf = (texts: readonly string[]) => {
  const list = new TextTable();
  for (const text of texts) list.intern(text);
  return list;
};

test("gives every list's own strings, in whatever order they are asked for", () => {
  const lists = fc.array(fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), { minLength: 1 }));
  fc.assert(
    fc.property(lists, (all) => {
      const recent = new RecentTexts();
      for (const texts of all) {
        const list = listOf(texts);
        expect(texts.map((_, number) => recent.get(list, number))).toEqual(texts.map((_, number) => list.get(number)));
      }
    }),
  );
});

test("still gives the right string once there were more than it keeps", () => {
  const recent = new RecentTexts();
  const texts = Array.from({ length: 2 * RECENT_TEXTS_MAX + 1 }, (_, n) => `label-${n}`);
  const list = listOf(texts);
  expect(texts.map((_, number) => recent.get(list, number))).toEqual(texts);
  expect(texts.map((_, number) => recent.get(list, number))).toEqual(texts);
});
