import { expect, test } from "vitest";
import { eventLines } from "./csv-events.ts";

const HEADER = "event_id,type,merchant_id,occurred_at,amount,currency,payment_method";
const ROW = "p-1,payment,shop,2026-11-28T10:00:00+09:00,550,JPY,card";
const EVENT = {
  event_id: "p-1",
  type: "payment",
  merchant_id: "shop",
  occurred_at: "2026-11-28T10:00:00+09:00",
  amount: 550,
  currency: "JPY",
  payment_method: "card",
};

async function linesOf(text: string, size = 7): Promise<string> {
  async function* inPieces(): AsyncGenerator<Buffer> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const lines: Buffer[] = [];
  for await (const piece of eventLines(inPieces())) lines.push(piece);
  return Buffer.concat(lines).toString("utf8");
}

const eventsOf = async (text: string) =>
  (await linesOf(text)).split("\n").flatMap((line, index) => (line === "" ? [] : [[index + 1, JSON.parse(line)]]));

test("a row of a CSV is an event, whatever the order of its columns, byte order mark, line ends and blank lines", async () => {
  expect(await eventsOf(`${HEADER}\n${ROW}`)).toEqual([[2, EVENT]]);
  expect(await eventsOf(`\ufeff${HEADER}\r\n\r\n${ROW}\r\n`)).toEqual([[3, EVENT]]);
  const turned = (row: string) => row.split(",").reverse().join(",");
  expect(await eventsOf(`${turned(HEADER)}\n${turned(ROW)}\n\n`)).toEqual([[2, EVENT]]);
});

test("members of user, merchant and attributes are named with a dot; what is empty is absent, what is no integer stays a text", async () => {
  const header = `${HEADER},user.id,user.country,attributes.memo,points_used,note`;
  expect(await eventsOf(`${header}\n${ROW},u-1,,"two\nlines, 店",12,x\n${ROW.replace("550", "5.50")},,,,,\n`)).toEqual([
    [2, { ...EVENT, user: { id: "u-1" }, attributes: { memo: "two\nlines, 店" }, points_used: 12, note: "x" }],
    [4, { ...EVENT, amount: "5.50" }],
  ]);
});

test("columns that an event does not have are told of", async () => {
  const unknown: (readonly string[])[] = [];
  const header = `${HEADER},user_id,user.id,merchant.name,attributes.memo,points_used,,constructor`;
  async function* text(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${header}\n${ROW}\n`);
  }
  for await (const _ of eventLines(text(), (columns) => void unknown.push(columns)));
  expect(unknown).toEqual([["user_id", "merchant.name", "constructor"]]);
});

test("lines of JSON stay as they are, whatever the first of them", async () => {
  for (const text of ['\n{"a":1,"b":2}\n{oops\n', '{"a":1,"b":2}', "null\n{}\n", "oops\n{}", ""]) {
    expect(await linesOf(text)).toBe(text);
  }
});

test.each([
  ["a JSON array", `[${JSON.stringify(EVENT)}]`, /JSON array/],
  ["a CSV of something else", "line,StockCode\n1,2\n", /no column event_id, type, merchant_id/],
  ["a CSV by semicolons", `${HEADER.replaceAll(",", ";")}\n${ROW.replaceAll(",", ";")}\n`, /with commas/],
  ["a column that is there twice", `${HEADER},amount\n${ROW},1\n`, /amount is there twice/],
  ["a comma without quotes", `${HEADER}\n${ROW}\n${ROW},surplus\n`, /line 3 has 8 fields, and the header 7/],
  [
    "one that moves what is empty beyond the last column",
    `${HEADER},merchant.location,points_used\n${ROW},Tokyo, Japan,\n`,
    /line 2 has 10 fields, and the header 9/,
  ],
])("%s is refused in words", async (_, text, why) => {
  await expect(linesOf(text)).rejects.toThrow(why);
});
