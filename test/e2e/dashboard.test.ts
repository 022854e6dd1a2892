import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUR_MS } from "../../shared/window.ts";
import { payment } from "../system.ts";
import { axeFindings } from "./axe.ts";
import { findBrowser, launchBrowser, NO_BROWSER } from "./browser.ts";
import { CAFE, type Cafe, LONG_DAY, openPage, startCafe } from "./dashboard.ts";

const executable = findBrowser();
if (executable === undefined) console.warn(`SKIPPED: ${NO_BROWSER}`);

const FIRST_LOAD_BYTES_MAX = 150_000;
const TEXT_WAIT_MS = 15_000;

describe.skipIf(executable === undefined)(executable === undefined ? NO_BROWSER : "the dashboard", () => {
  let browser: Browser;
  let cafe: Cafe;
  beforeAll(async () => {
    cafe = await startCafe();
    browser = await launchBrowser(executable ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await cafe?.tally.stop();
  });

  const open = (path = "/", options = {}) => openPage(browser, cafe.url, `${path}#key=${cafe.key}`, options);

  test("a key signs in, and is kept neither in the address nor in the browser", async () => {
    const { page, context, complaints } = await openPage(browser, cafe.url, "/");
    await page.getByLabel("Key").fill("tally_mch_0000000000000000_not-a-key");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Key").fill(cafe.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await figure(page, "payments").waitFor();
    const kept = await page.evaluate(() =>
      JSON.stringify([localStorage, sessionStorage, document.cookie, location.href]),
    );
    expect(kept).not.toContain(cafe.key);
    // The one that was refused is told of by the browser.
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
    await context.close();
  });

  test("a link signs in at once, and its key leaves the address; all that is loaded is small, and nothing comes from elsewhere", async () => {
    const { page, context, complaints, requested } = await open();
    await figure(page, "payments").waitFor();
    expect(page.url()).toBe(`${cafe.url}/`);
    expect(requested.filter((address) => !address.startsWith(cafe.url))).toEqual([]);
    const files = requested.filter((address) => !address.includes("/v1/"));
    const bodies = await Promise.all(
      files.map(async (address) => Buffer.from(await (await fetch(address)).arrayBuffer())),
    );
    expect(bodies.reduce((sum, body) => sum + gzipSync(body).length, 0)).toBeLessThan(FIRST_LOAD_BYTES_MAX);
    expect(complaints).toEqual([]);
    const policy = (await fetch(`${cafe.url}/`)).headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.hasRun = true";
      document.head.append(script);
    });
    expect(await page.evaluate(() => "hasRun" in globalThis)).toBe(false);
    await page.goBack().catch(() => undefined);
    expect(page.url()).not.toContain("#key");
    await context.close();
  });

  test("an event posted to ingest moves today's number and line, and the page is not loaded again", async () => {
    const { page, context } = await open();
    const before = await paid(page);
    expect(before).toBeGreaterThanOrEqual(cafe.paidToday);
    await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: /^Payments/ }).click();
    await cafe.tally.send([payment({ merchant_id: CAFE, amount: 700 })]);
    await shows(page, "payments", String(before + 1));
    await page.locator(".readout", { hasText: `Payments ${before + 1}` }).waitFor({ timeout: TEXT_WAIT_MS });
    expect(await page.evaluate(() => "isSamePage" in globalThis)).toBe(true);
    await context.close();
  });

  test("a payment that comes late is marked where it belongs, with by how much and when", async () => {
    const { page, context } = await open("/?line=each");
    await page.getByText("Live", { exact: true }).waitFor();
    const before = await paid(page);
    await cafe.tally.send([payment({ merchant_id: CAFE, amount: 1_200, occurred_at: Date.now() - 2 * HOUR_MS })]);
    await shows(page, "payments", String(before + 1));
    const chart = page.getByRole("slider");
    await chart.focus();
    const revised = page.locator(".readout .revised", { hasText: "revised +¥1,200 at" });
    await expect
      .poll(async () => ((await chart.press("ArrowLeft")) as undefined) ?? (await revised.count()), {
        timeout: TEXT_WAIT_MS,
        interval: 20,
      })
      .toBe(1);
    await context.close();
  });

  test("what today is compared with can be chosen, and the address says it", async () => {
    const { page, context } = await open();
    await figure(page, "net").getByText("before").waitFor();
    await page.getByLabel("Compared with").selectOption({ label: "Nothing" });
    await figure(page, "net").getByText("before").waitFor({ state: "detached" });
    await page.getByLabel("Compared with").selectOption({ label: "Four weeks' average" });
    await figure(page, "net").getByText("before").waitFor();
    expect(new URL(page.url()).searchParams.get("compare")).toBe("four_week_average");
    const again = await context.newPage();
    await again.goto(page.url());
    await figure(again, "net").getByText("before").waitFor();
    expect(await again.getByLabel("Compared with").inputValue()).toBe("four_week_average");
    await context.close();
  });

  test("a span is chosen by preset and by keyboard; the browser's back leads back; the chart is read by arrow keys", async () => {
    const { page, context } = await open("/span");
    await page.getByRole("button", { name: /^Span: Last 28 days/ }).click();
    await page.getByRole("button", { name: "Last 7 days" }).click();
    await page.getByRole("button", { name: /^Span: Last 7 days/ }).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: /^Span: Last 28 days/ }).click();
    await page.getByLabel("From").fill(LONG_DAY);
    await page.getByLabel("To", { exact: true }).fill(LONG_DAY);
    await page.getByLabel("To", { exact: true }).press("Enter");
    expect(new URL(page.url()).searchParams.get("from")).toBe(LONG_DAY);
    const chart = page.getByRole("slider");
    await chart.focus();
    const before = await chart.getAttribute("aria-valuetext");
    await chart.press("ArrowLeft");
    await expect.poll(() => chart.getAttribute("aria-valuetext")).not.toBe(before);
    await context.close();
  });

  test("in another zone a day is that zone's: the one on which clocks go back has 25 hours, and both hours from two to three", async () => {
    const { page, context } = await open(
      `/span?from=${LONG_DAY}&to=${LONG_DAY}&granularity=1h&measure=payments&tz=Asia/Tokyo`,
    );
    const rows = page.locator(".as-table tbody tr");
    await page.getByText("As a table").click();
    await expect.poll(() => rows.count(), { timeout: TEXT_WAIT_MS }).toBe(24);
    await page.getByLabel("Time zone").selectOption("Europe/Berlin");
    await expect.poll(() => rows.count(), { timeout: TEXT_WAIT_MS }).toBe(25);
    expect(await rows.filter({ hasText: "02:00" }).locator("td:first-of-type").allTextContents()).toEqual(["1", "1"]);
    await shows(page, "payments", "2");
    await context.close();
  });

  test("parts, hours, amounts and the CSV that is saved are of what is on the screen", async () => {
    const { page, context } = await open("/span?span=today&compare=none");
    await page.getByRole("region", { name: "Payment method" }).getByRole("rowheader", { name: "QR" }).waitFor();
    expect(await page.getByRole("region", { name: "When sales are made" }).getByRole("row").count()).toBe(8);
    const count = await paid(page);
    const amounts = page.getByRole("region", { name: "How large payments are" }).getByRole("row");
    const inBars = await amounts.getByRole("cell").allTextContents();
    expect(inBars.reduce((sum, text) => sum + Number(text), 0)).toBe(count);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.csv$/);
    const [header = "", ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
    // With no breakdown asked for, a line is a bucket; by value, a bucket and a value, of which the parts make the whole.
    const at = header.split(",").indexOf("payments_count");
    expect(lines.reduce((sum, line) => sum + Number(line.split(",")[at]), 0)).toBe(count);
    await context.close();
  });

  test("a point of the line leads to its payments, by Enter and by a click, and the browser's back leads back", async () => {
    const { page, context } = await open("/?line=each&compare=none");
    const chart = page.getByRole("slider");
    await chart.focus();
    // The window before the present one, with one payment each (startCafe).
    await expect
      .poll(
        async () => ((await chart.press("ArrowLeft")) as undefined) ?? (await chart.getAttribute("aria-valuetext")),
        {
          timeout: TEXT_WAIT_MS,
        },
      )
      .toMatch(/¥[1-9]/);
    const [window = ""] = ((await chart.getAttribute("aria-valuetext")) ?? "").split(": ");
    await chart.press("Enter");
    const rows = page.getByRole("row").filter({ hasNot: page.getByRole("columnheader") });
    await rows.first().waitFor();
    for (const time of await rows.getByRole("button").allTextContents())
      expect(time.slice(-5) >= window.slice(0, 5) && time.slice(-5) < window.slice(-5)).toBe(true);
    await page.goBack();
    const box = await chart.boundingBox();
    if (box === null) throw new Error("the chart is not shown");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForURL(/\/payments\?.*since=/);
    await context.close();
  });

  test("what came late before the page was opened is told with by how much, by the archive", async () => {
    const { page, context } = await open("/?line=each&compare=none");
    const chart = page.getByRole("slider");
    await chart.focus();
    // All that startCafe sends of today is late by some minutes to three hours.
    for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft"]) await chart.press(key);
    await page.locator(".readout .revised", { hasText: /revised \+¥[1-9]00 at/ }).waitFor({ timeout: TEXT_WAIT_MS });
    await context.close();
  });

  test("it reads in Japanese, by the browser's language or by choice", async () => {
    const { page, context } = await open("/", { locale: "ja-JP" });
    await page.getByRole("button", { name: /^純売上/ }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("ja");
    await page.getByRole("button", { name: "設定" }).click();
    await page.getByLabel("言語").selectOption("en");
    await page.getByRole("button", { name: /^Net sales/ }).waitFor();
    await context.close();
  });

  test("it is dark where the system is, and by choice; both are free of what axe finds, as are the sign-in and a page that waits", async () => {
    const waiting = await openPage(browser, cafe.url, "/");
    await waiting.context.route("**/metrics?*", () => {});
    await waiting.page.goto(`${cafe.url}/#key=${cafe.key}`);
    await waiting.page.reload();
    await figure(waiting.page, "net").locator(".placeholder").waitFor();
    expect(await axeFindings(waiting.page)).toEqual([]);
    await waiting.context.close();
    for (const path of ["/", "/span"]) {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, context } = await open(path, { colorScheme });
        await page.getByRole("slider").waitFor();
        await figure(page, "net").getByText("before").waitFor();
        expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(GROUND[colorScheme]);
        expect(await axeFindings(page)).toEqual([]);
        await context.close();
      }
    }
    const { page, context } = await open("/", { colorScheme: "light" });
    await figure(page, "net").getByText("before").waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Colours").selectOption("dark");
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(GROUND.dark);
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Key").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await context.close();
  });

  test("on a phone nothing is wider than the screen", async () => {
    for (const width of [320, 390]) {
      for (const path of ["/", "/span"]) {
        const { page, context } = await open(path, { viewport: { width, height: 800 }, hasTouch: true });
        await page.getByRole("slider").waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} at ${width}`).toBe(width);
        await context.close();
      }
    }
  });

  test("when the session has ended, what was shown stays, and a new sign-in goes on with it", async () => {
    const { page, context } = await open();
    await figure(page, "net").getByText("before").waitFor();
    await context.clearCookies();
    await page.getByLabel("Compared with").selectOption({ label: "Period before" });
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Your session has ended").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByLabel("Key").fill(cafe.key);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    await figure(page, "net").getByText("before").waitFor();
    expect(new URL(page.url()).searchParams.get("compare")).toBe("previous_period");
    await context.close();
  });

  test("while the API is away the numbers stay, with when they were read, and what was not read is no number; then it goes on", async () => {
    const { page, context } = await open("/span?span=today");
    await figure(page, "payments").locator(".figure-value", { hasText: /\d/ }).waitFor();
    const before = await figure(page, "payments").locator(".figure-value").textContent();
    await context.route("**/v1/**", (route) => route.abort());
    await page.getByLabel("Compared with").selectOption({ label: "A year ago" });
    await page.getByText("No connection.").waitFor();
    await shows(page, "payments", before ?? "");
    expect(await figure(page, "net").getByText("before").count()).toBe(0);
    await page.getByLabel("Compared with").selectOption({ label: "Same weekday before" });
    await shows(page, "payments", before ?? "");
    await page.getByRole("button", { name: /^Span:/ }).click();
    await page.getByRole("button", { name: /^Yesterday/ }).click();
    await shows(page, "payments", "–");
    expect(await page.locator("[aria-busy=true], .placeholder, .chart-waiting").count()).toBe(0);
    await page.getByRole("button", { name: "Try again" }).first().focus();
    await context.unroute("**/v1/**");
    await page.keyboard.press("Enter");
    await page.getByText("No connection.").waitFor({ state: "detached" });
    await context.close();
  });
});

const GROUND = { light: "rgb(246, 247, 247)", dark: "rgb(16, 20, 22)" } as const;

const figure = (page: Page, measure: string) => page.locator(`.figure[data-measure=${measure}]`);

/** How many payments the page shows, once it does. */
async function paid(page: Page): Promise<number> {
  const value = figure(page, "payments").locator(".figure-value:not(:has(.placeholder))");
  return Number((await value.textContent())?.replace(",", ""));
}

async function shows(page: Page, measure: string, text: string): Promise<void> {
  await expect
    .poll(() => figure(page, measure).locator(".figure-value").textContent(), { timeout: TEXT_WAIT_MS })
    .toBe(text);
}
