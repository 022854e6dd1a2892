import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text } from "./event.arbitrary.ts";
import { TextList, TextTable } from "./text-table.ts";

const utf8 = new TextEncoder();
const texts = fc.array(fc.oneof(fc.constantFrom("constructor", "__proto__", "a", "b", "ab", ""), text(64)), {
  maxLength: 200,
  size: "max",
});
const all = (list: TextList) => Array.from({ length: list.size }, (_, index) => list.get(index));
const tableOf = (strings: readonly string[]) => {
  const table = new TextTable();
  for (const string of strings) table.intern(string);
  return table;
};

describe("a table of texts", () => {
  test("gives each text one number, in the order in which they came, and finds no text that never did", () => {
    fc.assert(
      fc.property(texts, texts, (interned, others) => {
        const distinct = [...new Set(interned)];
        const table = new TextTable();
        expect(interned.map((string) => table.intern(string))).toEqual(interned.map((s) => distinct.indexOf(s)));
        expect(all(table)).toEqual(distinct);
        for (const string of [...others, ...interned]) expect(table.find(string)).toBe(distinct.indexOf(string));
        expect(table.size).toBe(distinct.length);
      }),
    );
  });

  test("knows a text by its bytes wherever they stand", () => {
    fc.assert(
      fc.property(texts, fc.nat(9), (interned, offset) => {
        const [byText, byBytes] = [new TextTable(), new TextTable()];
        for (const string of interned) {
          const bytes = new Uint8Array(offset + 300).fill(0x61);
          const { written } = utf8.encodeInto(string, bytes.subarray(offset));
          expect(byBytes.internBytes(bytes, offset, offset + written)).toBe(byText.intern(string));
        }
        expect(all(byBytes)).toEqual(all(byText));
      }),
    );
  });

  test("comes back from its bytes with the same numbers, and goes on from there", () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const table = tableOf(before);
        const back = TextTable.fromBytes(table.toBytes(), table.size);
        expect(all(back)).toEqual(all(table));
        expect(after.map((string) => back.intern(string))).toEqual(after.map((string) => table.intern(string)));
      }),
    );
  });

  test("of a hundred thousand texts finds each, and takes no more than twice their bytes and eight for each slot", () => {
    const strings = Array.from({ length: 100_000 }, (_, n) => `merchant-${n}`);
    const table = tableOf(strings);
    for (let n = 0; n < strings.length; n += 97) expect(table.find(`merchant-${n}`)).toBe(n);
    expect(table.byteLength).toBeLessThan(100_000 * (2 * 14 + 16));
  });
});

describe("a list of texts", () => {
  test("keeps each that is appended, also one that is there already", () => {
    fc.assert(
      fc.property(texts, (strings) => {
        const list = new TextList();
        const numbers = strings.map((string) => {
          const bytes = utf8.encode(`<${string}>`);
          return list.append(bytes, 1, bytes.length - 1);
        });
        expect(numbers).toEqual(strings.map((_, index) => index));
        expect(all(list)).toEqual(strings);
        expect(all(TextList.fromBytes(list.toBytes(), strings.length))).toEqual(strings);
      }),
    );
  });
});

describe("bytes that are no texts are an error:", () => {
  test.each<[string, Uint8Array, number]>([
    ["more than promised", utf8.encode("a\nb\n"), 1],
    ["fewer than promised", utf8.encode("a\n"), 2],
    ["none where one is promised", new Uint8Array(), 1],
    ["one where none is promised", utf8.encode("a"), 0],
    ["a last one without its end", utf8.encode("a\nb"), 1],
    ["a last one without its end, counted", utf8.encode("a\nb"), 2],
    ["no UTF-8", Uint8Array.of(0xff, 10), 1],
    ["half a character", Uint8Array.of(0xe6, 0xbc, 10), 1],
    ["half a surrogate pair", Uint8Array.of(0xed, 0xa0, 0x80, 10), 1],
  ])("%s", (_, bytes, size) => {
    expect(() => TextList.fromBytes(bytes, size)).toThrow();
    expect(() => TextTable.fromBytes(bytes, size)).toThrow();
  });

  test("of a table also one that stands twice, which a list may have", () => {
    const bytes = utf8.encode("a\nb\na\n");
    expect(all(TextList.fromBytes(bytes, 3))).toEqual(["a", "b", "a"]);
    expect(() => TextTable.fromBytes(bytes, 3)).toThrow("stands twice");
  });
});
