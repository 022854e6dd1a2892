import fc from "fast-check";
import { expect, test } from "vitest";
import { DICTIONARY_LABELS_MAX, LabelDictionary } from "./label-dictionary.ts";
import { TextTable } from "./text-table.ts";

const listOf = (texts: readonly string[]) => {
  const list = new TextTable();
  for (const text of texts) list.intern(text);
  return list;
};

test("gives a label one number, whichever list it stands in or as a string, and the label of a number", () => {
  const lists = fc.array(fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), { minLength: 1 }));
  fc.assert(
    fc.property(lists, (all) => {
      const dictionary = new LabelDictionary();
      for (const texts of all) {
        const list = listOf(texts);
        const numbers = texts.map((_, index) => dictionary.numberOf(list, index));
        expect(numbers.map((number) => dictionary.text(number))).toEqual(texts);
        expect(texts.map((text) => dictionary.intern(text))).toEqual(numbers);
      }
      expect(dictionary.size).toBe(new Set(all.flat()).size);
    }),
  );
});

test.each([
  ["labels", 1],
  ["bytes", 240],
])("a dictionary full of %s goes on for whoever has it, and is given to nobody any more", (_, length) => {
  const full = LabelDictionary.current();
  for (let n = 0; LabelDictionary.current() === full; n++) full.intern(`${n}`.padEnd(length));
  expect(full.size).toBeLessThanOrEqual(DICTIONARY_LABELS_MAX);
  const next = LabelDictionary.current();
  expect(next).not.toBe(full);
  expect(LabelDictionary.current()).toBe(next);
  expect(full.text(full.intern("one more"))).toBe("one more");
});
