import fc from "fast-check";
import { expect, test } from "vitest";
import { type CsvCell, csvFileName, csvMoney, csvStream, csvTable } from "./csv.ts";

const columnsOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `c${at}`, value: (row: readonly CsvCell[]) => row[at] }));

async function written(rows: readonly (readonly CsvCell[])[], byteOrderMark = false): Promise<string> {
  const stream = csvStream(columnsOf(rows[0]?.length ?? 1), rows, { byteOrderMark });
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** A reader by the grammar of RFC 4180, as strict as it. */
function parsed(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let at = 0; at < text.length; at = field.lastIndex) {
    field.lastIndex = at;
    const [, inQuotes, bare, end] = field.exec(text) ?? [];
    if (end === undefined) throw new Error(`not CSV at ${at}: ${text.slice(at, at + 20)}`);
    row.push(inQuotes?.replaceAll('""', '"') ?? bare ?? "");
    if (end === "\r\n") {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const FORMULA = /^[\s\p{Cc}]*[=+\-@＝＋－＠]|^[\t\r\n]/u;

test("any text comes back as it was, but that what begins a formula has an apostrophe before it", async () => {
  const cell = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("=1+1", "a;b", 'say "hi"', "\r\n", "", " x", "-5", "'=1", "'\t"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1 }), async (rows) => {
      const wellFormed = rows.map((row) => row.map((text) => text.toWellFormed()));
      const [header, ...back] = parsed(await written(wellFormed));
      expect(header).toEqual(["c0", "c1"]);
      expect(back).toEqual(wellFormed.map((row) => row.map((text) => (FORMULA.test(text) ? `'${text}` : text))));
      for (const text of back.flat()) expect(text).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
    }),
  );
});

test("numbers stay numbers: a negative amount is no formula", async () => {
  expect(await written([[-5, -12n, csvMoney(-1_050n, "USD"), null, undefined, { number: "-0.25" }]])).toBe(
    "c0,c1,c2,c3,c4,c5\r\n-5,-12,-10.50,,,-0.25\r\n",
  );
});

test("money has the digits of its currency, however large or small it is", () => {
  const shown = (minor: bigint | number, currency: string) => csvMoney(minor, currency).number;
  expect(shown(1234, "USD")).toBe("12.34");
  expect(shown(5, "EUR")).toBe("0.05");
  expect(shown(-5, "EUR")).toBe("-0.05");
  expect(shown(1234, "JPY")).toBe("1234");
  expect(shown(1, "KWD")).toBe("0.001");
  expect(shown(12_345, "CLF")).toBe("1.2345");
  expect(shown(123_456_789_012_345_678_901n, "GBP")).toBe("1234567890123456789.01");
});

test("a byte order mark is there only when it was asked for", async () => {
  expect(await written([["é"]])).toBe("c0\r\né\r\n");
  expect(await written([["é"]], true)).toBe("\uFEFFc0\r\né\r\n");
});

test("a table without rows is its header", async () => {
  expect(await new Response(csvStream(columnsOf(2), [])).text()).toBe("c0,c1\r\n");
});

test("rows are asked for as they are read, and no more once the reader has gone", async () => {
  let asked = 0;
  let isReleased = false;
  async function* endless() {
    try {
      for (;;) yield [[`${asked++}`.padEnd(1_000, "x")]] as const;
    } finally {
      isReleased = true;
    }
  }
  const reader = csvStream(columnsOf(1), endless()).getReader();
  await reader.read();
  await reader.read();
  expect(asked).toBeLessThan(100);
  await reader.cancel();
  expect(isReleased).toBe(true);
});

test("that the reader has gone is told while a page is still waited for", async () => {
  const next = Promise.withResolvers<void>();
  async function* pages() {
    yield [["a"]] as const;
    await next.promise;
  }
  let hasLeft = false;
  const onLeave = () => {
    hasLeft = true;
    next.resolve();
  };
  const reader = csvStream(columnsOf(1), pages(), { onLeave }).getReader();
  await reader.read();
  void reader.read();
  await reader.cancel();
  expect(hasLeft).toBe(true);
});

test("what a page has is there before the next one is", async () => {
  const next = Promise.withResolvers<void>();
  async function* pages() {
    yield [["a"], ["b"]] as const;
    yield [] as const;
    await next.promise;
    yield [["c"]] as const;
  }
  const reader = csvStream(columnsOf(1), pages()).getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  expect(await read()).toBe("c0\r\na\r\nb\r\n");
  next.resolve();
  expect(await read()).toBe("c\r\n");
  expect((await reader.read()).done).toBe(true);
});

test("a failure in the middle of the rows breaks the stream off, so that half a table is not taken for a whole one", async () => {
  async function* failing() {
    yield [["a"]] as const;
    throw new Error("history is gone");
  }
  await expect(new Response(csvStream(columnsOf(1), failing())).text()).rejects.toThrow();
});

test("a file is named by question, merchant and local dates", () => {
  const name = csvFileName("metrics", "shop-1", "2026-03-01T00:00:00+09:00", "2026-04-01T00:00:00+09:00");
  expect(name).toBe("tally-metrics-shop-1-2026-03-01-2026-04-01.csv");
  const day = csvFileName("report", "shop-1", "2026-03-01T10:00:00+09:00", "2026-03-01T10:10:00+09:00");
  expect(day).toBe("tally-report-shop-1-2026-03-01.csv");
});

test("a table that is short is the same whole as it is streamed; of a longer one no more is made than the limit", async () => {
  const made = { rows: 0 };
  function* rows() {
    for (let n = 0; n < 1_000; n++) {
      made.rows += 1;
      yield [n, `text, ${n}`];
    }
  }
  const options = { byteOrderMark: true, notices: ["partial"] };
  const table = csvTable("tally.csv", columnsOf(2), rows, options);
  const streamed = new Uint8Array(await new Response(table.stream()).arrayBuffer());
  expect(new TextEncoder().encode(table.text(100_000))).toEqual(streamed);
  expect(table.headers).toEqual({
    "Content-Disposition": 'attachment; filename="tally.csv"',
    "Tally-Notices": "partial",
  });
  made.rows = 0;
  expect(table.text(100)).toBeUndefined();
  expect(made.rows).toBeLessThan(20);
});
