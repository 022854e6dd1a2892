import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { addressHas, CAFE, figure, LONG_DAY, paid, shows } from "./dashboard.ts";
import { describeDashboard } from "./describe-dashboard.ts";

describeDashboard("any span", ({ cafe, open }) => {
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
    await addressHas(page, "from", LONG_DAY);
    const chart = page.getByRole("slider");
    await chart.focus();
    const before = await chart.getAttribute("aria-valuetext");
    await chart.press("ArrowLeft");
    await expect.poll(() => chart.getAttribute("aria-valuetext")).not.toBe(before);
    // A link has what is zoomed to; another span is shown as a whole.
    await chart.press("+");
    const zoom = () => new URL(page.url()).searchParams.get("zoom");
    await expect.poll(zoom).toMatch(/^\d+-\d+$/);
    const zoomed = zoom();
    await figure(page, "payments").click();
    await expect.poll(zoom).toBe(zoomed);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link copied").waitFor();
    const { searchParams: copied } = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    expect([copied.get("zoom"), copied.get("measure")]).toEqual([zoomed, "payments"]);
    await page.reload();
    await page.getByRole("button", { name: "Show all" }).waitFor();
    await page.getByRole("button", { name: /^Span: / }).click();
    await page.getByRole("button", { name: "Last 7 days" }).click();
    await page.getByRole("button", { name: "Show all" }).waitFor({ state: "detached" });
    await addressHas(page, "zoom", null);
    await context.close();
  });

  test("what the line is zoomed to is what its file and its table have, and the browser's back shows the zoom of before", async () => {
    const { page, context } = await open("/span?compare=none");
    await page.getByRole("slider").focus();
    await page.keyboard.press("+");
    const zoom = () => new URL(page.url()).searchParams.get("zoom");
    await expect.poll(zoom).toMatch(/^\d+-\d+$/);
    const wide = zoom();
    await figure(page, "payments").click();
    await page.getByRole("heading", { name: "Payments", exact: true }).waitFor();
    await page.getByRole("slider").focus();
    await page.keyboard.press("+");
    await expect.poll(zoom).not.toBe(wide);
    const narrow = zoom() ?? "";

    const [min = 0, max = 0] = narrow.split("-").map(Number);
    const { names, lines } = await savedBy(page, page.getByRole("button", { name: "CSV of this part" }));
    const starts = lines.map((line) => Date.parse(line.split(",")[names.indexOf("start")] ?? "") / 1000);
    expect(starts.length).toBeGreaterThan(0);
    expect(starts.filter((start) => start < min || start > max)).toEqual([]);
    // Every day of the stretch.
    expect(starts.length).toBeGreaterThanOrEqual(Math.floor((max - min) / 86_400));
    const line = page.getByRole("region", { name: "Payments", exact: true });
    await line.getByText("As a table").click();
    await expect.poll(() => line.locator("tbody tr").count()).toBe(lines.length);

    await page.goBack();
    await page.getByRole("heading", { name: "Net sales", exact: true }).waitFor();
    await expect.poll(zoom).toBe(wide);
    const sales = page.getByRole("region", { name: "Net sales", exact: true });
    await expect.poll(() => sales.locator("tbody tr").count()).toBeGreaterThan(lines.length);
    const seen = await savedBy(page, page.getByRole("button", { name: "CSV of this part" }));
    expect(seen.lines).toHaveLength(await sales.locator("tbody tr").count());
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByRole("button", { name: "CSV", exact: true }).waitFor();
    await page.goForward();
    await page.getByRole("button", { name: "CSV of this part" }).waitFor();
    await expect.poll(zoom).toBe(narrow);
    await context.close();
  });

  test("in another zone a day is that zone's: the one on which clocks go back has 25 hours, and both hours from two to three", async () => {
    const { page, context } = await open(
      `/span?from=${LONG_DAY}&to=${LONG_DAY}&granularity=1h&measure=payments&tz=Asia/Tokyo`,
    );
    const line = page.getByRole("region", { name: "Payments", exact: true });
    const rows = line.locator("tbody tr");
    await line.getByText("As a table").click();
    await expect.poll(() => rows.count()).toBe(24);
    await page.getByLabel("Time zone").selectOption("Europe/Berlin");
    await expect.poll(() => rows.count()).toBe(25);
    expect(await rows.filter({ hasText: "02:00" }).locator("td:first-of-type").allTextContents()).toEqual(["1", "1"]);
    expect(await rows.filter({ hasText: /02:00 UTC\+0[12]:00/ }).count()).toBe(2);
    await shows(page, "payments", "2");
    // Its days begin with a window at 23:55.
    await page.goto(
      `${cafe.url}/span?from=${LONG_DAY}&to=${LONG_DAY}&granularity=1h&measure=payments&tz=Asia/Kathmandu`,
    );
    await line.getByText("As a table").click();
    await rows.first().getByRole("link", { name: "Sun 25 Oct, 00:00" }).waitFor();
    await context.close();
  });

  test("parts, hours, amounts and the CSV that is saved are of what is on the screen", async () => {
    const { page, context } = await open("/span?span=today&compare=none");
    await page.getByRole("region", { name: "Payment method" }).getByRole("rowheader", { name: "QR" }).waitFor();
    const hours = page.getByRole("region", { name: "When sales are made" });
    await hours.getByText("As a table").click();
    await expect.poll(() => hours.getByRole("rowheader").count()).toBe(24);
    await expect.poll(() => hours.getByRole("cell", { name: /¥[1-9]/ }).count()).toBeGreaterThan(0);
    const count = await paid(page);
    const amounts = page.getByRole("region", { name: "How large payments are" });
    await amounts.getByText("As a table").click();
    const inBars = await amounts.locator("td:first-of-type").allTextContents();
    expect(inBars.reduce((sum, text) => sum + Number(text), 0)).toBe(count);
    const { names, lines, payments } = await savedBy(page, page.getByRole("button", { name: "CSV", exact: true }));
    expect(names).toEqual(expect.arrayContaining(["net", "average", "customers", "refunds_amount"]));
    expect(new Set(lines.map((line) => line.split(",")[0])).size).toBe(lines.length);
    expect(payments).toBe(count);
    for (const panel of ["Payment method", "How large payments are"]) {
      const saved = await savedBy(page, page.getByRole("button", { name: `CSV: ${panel}` }));
      expect(saved.payments).toBe(count);
    }
    expect((await savedBy(page, hours.getByRole("button", { name: "CSV" }))).lines).toHaveLength(7 * 24);
    await context.close();
  });
});

/** The file that a click saves: the names of its columns, its lines, and how many payments they add up to. */
async function savedBy(page: Page, locator: Locator) {
  const [download] = await Promise.all([page.waitForEvent("download"), locator.click()]);
  expect(download.suggestedFilename()).toMatch(
    new RegExp(`^tally-[a-z_-]+-${CAFE}(-\\d{4}-\\d{2}-\\d{2}){1,2}\\.csv$`),
  );
  const [header = "", ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  const names = header.split(",");
  const at = names.indexOf("payments_count");
  return { names, lines, payments: lines.reduce((sum, line) => sum + Number(line.split(",")[at]), 0) };
}
