import fc from "fast-check";
import { expect, test } from "vitest";
import { csvRows } from "./csv-rows.ts";

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function rows(text: string, size = 3): Promise<string[][]> {
  const all: string[][] = [];
  for await (const { fields } of csvRows(inPieces(text, size))) all.push([...fields]);
  return all;
}

test("quotes hold commas, newlines and doubled quotes; rows end in LF, CRLF, or with the text", async () => {
  expect(await rows('a,"b, ""c""",\r\n"two\nlines",,""\n\nlast,x,y')).toEqual([
    ["a", 'b, "c"', ""],
    ["two\nlines", "", ""],
    ["last", "x", "y"],
  ]);
});

test("whatever the fields hold and however the text is cut, they come back as they were", async () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "é", "😀"), maxLength: 6 });
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom("\n", "\r\n"),
      async (written, size, end) => {
        const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const text = written.map((row) => row.map(quoted).join(",") + end).join("");
        expect(await rows(text, size)).toEqual(written);
      },
    ),
  );
});

test.each([
  ['ok\na,"never closed', /line 2: a quote that is never closed/],
  ['ok\na,b"c', /line 2: a quote within a field/],
  ['\n"two\nlines"\na,b"c', /line 4: a quote within a field/],
  ['"a"b', /line 1: text after a closing quote/],
  ["a\rb", /line 1: a carriage return that does not end the row/],
])("%j is refused, not guessed at", async (text, said) => {
  await expect(rows(text)).rejects.toThrow(said);
});
