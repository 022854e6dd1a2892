import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { acceptEvent } from "../shared/accept-event.ts";
import type { PaymentEventInput } from "./event-input.ts";
import { ontoLast24h, type RetailRow, retailEvent, weeksForward, weeksUntil } from "./retail-event.ts";

const ROW: RetailRow = {
  line: "2010-12-01:1",
  InvoiceNo: "536365",
  StockCode: "85123A",
  Description: "WHITE HANGING HEART T-LIGHT HOLDER",
  Quantity: "6",
  InvoiceDate: "2010-12-01 08:26:00",
  UnitPrice: "2.55",
  CustomerID: "17850.0",
  Country: "United Kingdom",
};
const stay = weeksForward(0);
const event = (changes: Partial<RetailRow>) => retailEvent({ ...ROW, ...changes }, stay);

test("a row becomes an event by the rules of the data set", () => {
  expect(retailEvent(ROW, stay)).toEqual({
    event_id: "2010-12-01:1",
    type: "payment",
    merchant_id: "United-Kingdom",
    occurred_at: Date.UTC(2010, 11, 1, 8, 26),
    amount: 15_300,
    currency: "GBP",
    payment_method: "card",
    user: { id: "17850.0" },
    attributes: { stock_code: "85123A" },
  });
  expect(acceptEvent(retailEvent(ROW, stay))).toMatchObject({ ok: true });
});

test("a negative quantity or a negative price is a refund of the total without its sign", () => {
  expect(event({ Quantity: "-12", UnitPrice: "1.25" })).toMatchObject({ type: "refund", amount: 15_000 });
  expect(event({ Quantity: "1", UnitPrice: "-11062.06" })).toMatchObject({ type: "refund", amount: 11_062_060 });
  expect(event({ Quantity: "-2", UnitPrice: "-0.001" })).toMatchObject({ type: "payment", amount: 2 });
});

test("nothing paid is a payment of 0, never of -0", () => {
  expect(Object.is(event({ Quantity: "-5", UnitPrice: "0.0" }).amount, 0)).toBe(true);
  expect(event({ Quantity: "-5", UnitPrice: "0.0" }).type).toBe("payment");
  expect(event({ Quantity: "0", UnitPrice: "-1.5" })).toMatchObject({ type: "payment", amount: 0 });
});

test("three decimals are exact where floating point is not", () => {
  expect(event({ Quantity: "1", UnitPrice: "1.001" }).amount).toBe(1_001);
  expect(event({ Quantity: "3", UnitPrice: "0.29" }).amount).toBe(870);
  expect(event({ Quantity: "80995", UnitPrice: "2.08" }).amount).toBe(168_469_600);
  expect(event({ Quantity: "7", UnitPrice: "5" }).amount).toBe(35_000);
});

test("without a customer there is no user at all", () => {
  expect(event({ CustomerID: "" })).not.toHaveProperty("user");
});

test("every run of characters that no merchant id has becomes one dash", () => {
  expect(event({ Country: "Côte d'Ivoire (west)" }).merchant_id).toBe("C-te-d-Ivoire-west-");
});

test.each([
  [{ Quantity: "1.5" }, /Quantity 1.5/],
  [{ UnitPrice: "1.2345" }, /UnitPrice 1.2345/],
  [{ UnitPrice: "" }, /UnitPrice {2}is/],
  [{ InvoiceDate: "2010-13-01 08:26:00" }, /InvoiceDate/],
  [{ Quantity: "99999999999999999" }, /too large/],
])("%j is refused with its line, not guessed at", (changes, said) => {
  expect(() => event(changes)).toThrow(said);
  expect(() => event(changes)).toThrow(/line 2010-12-01:1/);
});

test("onto the last 24 hours: today's time of day if it has passed, else yesterday's", () => {
  const nowMs = Date.UTC(2026, 10, 23, 12, 0);
  const move = ontoLast24h(nowMs);
  expect(move(Date.UTC(2010, 11, 1, 8, 26))).toBe(Date.UTC(2026, 10, 23, 8, 26));
  expect(move(Date.UTC(2011, 4, 9, 11, 59, 59))).toBe(nowMs - 1000);
  expect(move(Date.UTC(2011, 4, 9, 12, 0))).toBe(nowMs - 86_400_000);
  expect(move(Date.UTC(2011, 4, 9, 20, 1))).toBe(Date.UTC(2026, 10, 22, 20, 1));
});

test("weeks forward: the last row ends up in the week before now, on the same weekday", () => {
  const lastMs = Date.UTC(2011, 11, 9, 12, 50);
  const nowMs = Date.UTC(2026, 10, 23);
  const movedMs = weeksForward(weeksUntil(lastMs, nowMs))(lastMs);
  expect(movedMs).toBeLessThanOrEqual(nowMs);
  expect(movedMs).toBeGreaterThan(nowMs - 7 * 86_400_000);
  expect(new Date(movedMs).getUTCDay()).toBe(new Date(lastMs).getUTCDay());
});

const CSV = `line,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
2010-12-01:1,536365,85123A,"HEART, ""BIG"" ONE",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
2010-12-01:2,536366,POST,"two
lines",-1,2010-12-01 18:00:00,18.0,,EIRE
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tally-retail-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("the script converts a file, gzip or not, and moves it where it is told", async () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, "retail.ts"), ...args]);
  const [plain, zipped, out] = [join(folder, "a.csv"), join(folder, "a.csv.gz"), join(folder, "out.ndjson.gz")];
  await writeFile(plain, CSV);
  await writeFile(zipped, gzipSync(CSV));

  const { stderr } = await run(zipped, "--out", out, "--onto-last-24h", "--now", "2026-11-23T12:00:00Z");
  expect(stderr).toBe("2 events\n");
  const lines = gunzipSync(await readFile(out))
    .toString()
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line) as PaymentEventInput)).toMatchObject([
    { event_id: "2010-12-01:1", occurred_at: Date.UTC(2026, 10, 23, 8, 26), amount: 15_300 },
    { event_id: "2010-12-01:2", occurred_at: Date.UTC(2026, 10, 22, 18), type: "refund", amount: 18_000 },
  ]);

  const { stdout } = await run(plain, "--out", "-", "--weeks-forward", "1");
  expect(JSON.parse(stdout.split("\n")[1] ?? "")).toMatchObject({ occurred_at: Date.UTC(2010, 11, 8, 18) });

  const failed = await run("/no/such.csv", "--out", out).catch((error: { stderr: string }) => error);
  expect(failed.stderr).toBe("cannot open /no/such.csv: no such file or directory\n");
});
