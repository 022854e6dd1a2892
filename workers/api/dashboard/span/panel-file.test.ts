import { expect, test } from "vitest";
import type { Total } from "../data/answers.ts";
import type { SavedFile } from "../data/csv-file.ts";
import { amountsFile, heatFile, type PanelSpan, partsFile } from "./panel-file.ts";
import type { Part } from "./parts.ts";

const span: PanelSpan = {
  merchantId: "cafe",
  from: "2026-11-01T00:00:00+09:00",
  to: "2026-11-28T13:00:00+09:00",
  currency: "USD",
};
const SPAN = `${span.from},${span.to},USD`;

async function linesOf({ content }: SavedFile): Promise<string[]> {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await content.arrayBuffer());
  expect(text.startsWith("\uFEFF")).toBe(true);
  return text.slice(1).trimEnd().split("\r\n");
}

const part = (over: Partial<Part>): Part => ({
  part: "value",
  value: "card",
  count: 3,
  amount: 1_234,
  share: 2 / 3,
  base: undefined,
  change: undefined,
  ...over,
});

test("a breakdown is saved with what the panel shows, in the API's terms and under the span's name", async () => {
  const file = partsFile(span, "payment_method", [
    part({ base: 1_000, change: { absolute: 234, ratio: 0.234 } }),
    part({ value: "qr", base: 0, change: { absolute: 1_234, ratio: "new" } }),
    part({ part: "unspecified", value: "", amount: 0, share: 0, base: 0, change: { absolute: 0, ratio: null } }),
  ]);
  expect(file.name).toBe("tally-payment_method-cafe-2026-11-01-2026-11-28.csv");
  expect(await linesOf(file)).toEqual([
    "start,end,currency,part,payment_method,payments_count,payments_amount,payments_amount_share,base_payments_amount,change_payments_amount",
    `${SPAN},value,card,3,12.34,0.666667,10.00,0.234`,
    `${SPAN},value,qr,3,12.34,0.666667,0.00,new`,
    `${SPAN},unspecified,,3,0.00,0,0.00,`,
  ]);
  const [header] = await linesOf(partsFile(span, "device", [part({})]));
  expect(header).toMatch(/,device,payments_count,payments_amount,payments_amount_share$/);
});

test("a value that a spreadsheet would run as a formula is a text in it", async () => {
  const [, ...lines] = await linesOf(
    partsFile(span, "location", [
      part({ value: '=HYPERLINK("//x")' }),
      part({ value: "@sum" }),
      part({ value: "a,b" }),
    ]),
  );
  expect(lines.map((line) => line.slice(SPAN.length))).toEqual([
    `,value,"'=HYPERLINK(""//x"")",3,12.34,0.666667`,
    ",value,'@sum,3,12.34,0.666667",
    ',value,"a,b",3,12.34,0.666667',
  ]);
});

test("the map is saved as a row for each hour of the week, those that were not yet without a value", async () => {
  const heat = Array.from({ length: 7 }, (_, day) => Array.from({ length: 24 }, () => (day === 6 ? null : day * 50.4)));
  const file = heatFile(span, heat);
  const [header, ...lines] = await linesOf(file);
  expect([file.name, header, lines.length]).toEqual([
    "tally-weekday-hour-cafe-2026-11-01-2026-11-28.csv",
    "start,end,currency,weekday,hour,net_mean",
    168,
  ]);
  expect([lines[0], lines[25], lines[167]]).toEqual([`${SPAN},1,0,0.00`, `${SPAN},2,1,0.50`, `${SPAN},7,23,`]);
});

test("the bars of amounts are saved, all payments in them, with what is known of all of them", async () => {
  const amounts = [
    { from: 100, to: 101, count: 3 },
    { from: 900, to: 910, count: 1 },
  ];
  const total = { amounts, min: 100, p50: 100, p90: 905, p99: 905, max: 905 } as unknown as Total;
  const [header, ...lines] = await linesOf(amountsFile(span, total));
  expect(header).toBe("start,end,currency,from,to,payments_count,payments_count_share,min,p50,p90,p99,max");
  expect(lines[0]).toBe(`${SPAN},1.00,1.50,3,0.75,1.00,1.00,9.05,9.05,9.05`);
  expect(lines.reduce((sum, line) => sum + Number(line.split(",")[5]), 0)).toBe(4);
});
