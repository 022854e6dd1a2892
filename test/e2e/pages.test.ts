import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { DAY_MS } from "../../shared/window.ts";
import { until } from "../system.ts";
import { axeFindings } from "./axe.ts";
import { addressHas, CAFE, type OpenPage } from "./dashboard.ts";
import { describeDashboard } from "./describe-dashboard.ts";

const PAGES = [
  "/payments?span=today",
  "/explore?span=today&metrics=payments.count&and_by=payment_method",
  "/alerts",
  "/keys",
];
const OPERATORS_PARTS = ["health", "replays", "merchants", "sources", "log"].map((part) => `/operators?part=${part}`);

describeDashboard("the dashboard's pages", ({ cafe, open, openAsOperator, openLink }) => {
  test("a bar leads to the payments it is made of, each with its details, and back", async () => {
    const { page, context, complaints } = await open("/span?span=today&compare=none", { asksAgain: true });
    await page.getByRole("region", { name: "Payment method" }).getByRole("link", { name: "QR" }).click();
    await page.getByRole("heading", { name: "Payments" }).waitFor();
    const rows = page.getByRole("row").filter({ hasNot: page.getByRole("columnheader") });
    // Every third payment, from the first (startCafe).
    await expect.poll(() => rows.count()).toBe(Math.ceil(cafe.paidToday / 3));
    expect(await rows.filter({ hasNotText: "QR" }).count()).toBe(0);
    const details = rows.first().getByRole("button");
    await details.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Payment" }).getByText("25-34").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await expect.poll(() => details.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.getByLabel("Payment method").selectOption({ label: "All" });
    await expect.poll(() => rows.count()).toBe(cafe.paidToday);
    await page.goBack();
    await expect.poll(() => rows.count()).toBe(Math.ceil(cafe.paidToday / 3));
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("a page of payments for which there was no time says when the next one may be asked for, and asks no sooner", async () => {
    const asked: string[] = [];
    const { page, context } = await open("/span?span=today&compare=none");
    await page.route("**/events?*", async (route) => {
      asked.push(route.request().url());
      if (asked.length > 1) return await route.continue();
      const answer = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...answer, events: [], next_cursor: CURSOR_OF_LATER, next_after_s: PAUSE_S } });
    });
    const beganMs = Date.now();
    const pages = page.getByRole("navigation", { name: "Pages", exact: true });
    await pages.getByRole("link", { name: "Payments" }).click();
    await page
      .getByText(`None found yet: there was no time to look further. The next page can go on in ${PAUSE_S} s.`)
      .waitFor();
    const next = page.getByRole("navigation", { name: "Pages of the list" }).getByRole("button", { name: "Next" });
    expect(await next.getAttribute("aria-disabled")).toBe("true");
    await next.press("Enter");
    expect(asked).toHaveLength(1);
    await expect.poll(() => next.getAttribute("aria-disabled")).toBe("false");
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(PAUSE_S * 1_000);
    await next.click();
    await expect.poll(() => asked.length).toBe(2);
    expect(new URL(asked[1] ?? "").searchParams.get("cursor")).toBe(CURSOR_OF_LATER);
    await context.close();
  });

  test("a question says where it is wrong, and offers what is right; its answer is a table, a link and a file", async () => {
    const { page, context } = await open("/explore?span=today&and_by=gender");
    await page.getByRole("group", { name: "Figures" }).getByRole("alert").waitFor();
    expect(await page.getByRole("checkbox", { name: "Net sales" }).isDisabled()).toBe(true);
    await page.getByLabel("And by").selectOption({ label: "Payment method" });
    await page.getByRole("checkbox", { name: "Time" }).uncheck();
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByLabel("Shown as").selectOption({ label: "Table" });
    const card = page.getByRole("row", { name: "Card" });
    await card.waitFor();
    const text = await card.textContent();
    await page.reload();
    expect(await card.textContent()).toBe(text);
    const lines = await linesSavedBy(page, page.getByRole("button", { name: "CSV" }));
    expect(lines).toHaveLength(3);
    expect(text).toContain(String(countOf(lines, "card")));
    await context.close();
  });

  test("what differs by two things is a picture for each value, in words too; one value over time is a line", async () => {
    const { page, context } = await open("/explore?span=today&metrics=payments.count&and_by=payment_method");
    const card = page.getByRole("img", { name: /^Card: \d+; the most, \d+, at / });
    await card.waitFor();
    await page.getByRole("combobox", { name: "Of", exact: true }).selectOption({ label: "Card" });
    await page.getByRole("slider").waitFor();
    expect(await card.count()).toBe(0);
    await context.close();
  });

  test("the file of an answer is what is drawn of it: of a value that is chosen its line, as far as it is zoomed to", async () => {
    const { page, context } = await open(
      "/explore?span=today&metrics=payments.count&granularity=10m&and_by=payment_method",
    );
    const whole = page.getByRole("button", { name: "CSV", exact: true });
    const part = page.getByRole("button", { name: "CSV of this part" });
    expect(await linesSavedBy(page, whole)).toHaveLength(1 + cafe.paidToday);
    await page.getByRole("combobox", { name: "Of", exact: true }).selectOption({ label: "Card" });
    const cards = await linesSavedBy(page, part);
    expect(cards).toHaveLength(1 + cafe.paidToday - Math.ceil(cafe.paidToday / 3));
    await page.getByRole("slider").press("+");
    await expect.poll(async () => (await linesSavedBy(page, part)).length).toBeLessThan(cards.length);
    await page.getByLabel("Shown as").selectOption({ label: "Table" });
    expect(await linesSavedBy(page, whole)).toHaveLength(1 + cafe.paidToday);
    await context.close();
  });

  test("a key is shown once, reads and so cannot touch keys, is replaced and revoked", async () => {
    const { page, context } = await open("/keys");
    await page.getByRole("button", { name: "Create a key" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("till");
    await page.getByRole("dialog").getByText("right for programs").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Create a key" }).click();
    const shown = page.getByRole("dialog", { name: "Your new key" });
    const secret = (await shown.locator("code").textContent()) ?? "";
    expect((await cafe.tally.read(`/v1/merchants/${CAFE}`, secret)).status).toBe(200);
    await shown.getByRole("button", { name: "I have it" }).click();
    await expect.poll(() => page.content()).not.toContain(secret);
    const reading = await openLink(`/keys#key=${secret}`);
    await reading.page.getByRole("row", { name: "till" }).waitFor();
    await reading.page.getByText("Yours reads").waitFor();
    expect(await reading.page.getByRole("button", { name: /Create a key|Rotate|Revoke/ }).count()).toBe(0);
    await reading.context.close();
    await page.getByRole("button", { name: "Rotate till" }).click();
    await page.getByLabel("The old key goes on for").selectOption({ label: "An hour" });
    await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
    await shown.getByRole("button", { name: "I have it" }).click();
    await page.getByRole("row", { name: "Replaced" }).getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name: "Revoked" }).waitFor();
    await context.close();
  });

  test("an alert is made with its secret shown once, is looked at, turned off and deleted", async () => {
    const { page, context } = await openAsOperator(`/alerts?merchant=${CAFE}`);
    await page.getByRole("button", { name: "Create an alert" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("Silence");
    await dialog.getByLabel("Minutes without a payment").fill("30");
    await dialog.getByLabel("Address of the webhook").fill("https://example.com/tally");
    await dialog.getByRole("button", { name: "Create an alert" }).click();
    const shown = page.getByRole("dialog", { name: "The secret of Silence" });
    const secret = (await shown.locator("code").textContent()) ?? "";
    expect(secret).toMatch(/^whsec_/);
    await shown.getByRole("button", { name: "I have it" }).click();
    await expect.poll(() => page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Show Silence" }).click();
    const alert = page.getByRole("region", { name: "Silence" });
    await alert.getByText("No sales for 30 minutes while open").waitFor();
    await alert.getByRole("button", { name: "Turn off" }).click();
    await page.getByRole("row", { name: "Silence" }).getByText("Off").waitFor();
    await alert.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("There is no alert yet.").waitFor();
    await context.close();
  });

  test("only an operator finds the operators' page, and a merchant's way there shows nothing", async () => {
    const { page, context } = await open("/operators");
    await page.getByRole("alert").first().waitFor();
    expect(await page.getByRole("link", { name: "Operators" }).count()).toBe(0);
    await context.close();
  });

  test("a wrong link leads to a page that says so; whoever calls the API gets a problem", async () => {
    const { page, context } = await open("/");
    // The heading says "Today" only until the day has been answered.
    const figure = page.getByRole("button", { name: /^Net sales/ });
    await figure.waitFor();
    const response = await page.goto(new URL("/spam", cafe.url).href);
    expect(response?.status()).toBe(404);
    expect(response?.headers()["content-security-policy"]).toContain("script-src 'self'");
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await page.getByRole("link", { name: "To today's numbers" }).click();
    await figure.waitFor();
    const called = await fetch(new URL("/spam", cafe.url));
    expect([called.status, called.headers.get("Content-Type")]).toEqual([404, "application/problem+json"]);
    await context.close();
  });

  test("a replay begins dry; what differs is seen, and written after a confirmation", async () => {
    // A week ago, where startCafe has three hours of payments: eighteen windows.
    await cafe.tally.sql.command({
      query:
        "INSERT INTO windows SELECT * REPLACE (revision + 1 AS revision, payments_amount + 7 AS payments_amount) FROM windows FINAL WHERE merchant_id = {merchant:String} AND window_start BETWEEN now() - INTERVAL 8 DAY AND now() - INTERVAL 6 DAY",
      query_params: { merchant: CAFE },
    });
    const { page, context } = await openAsOperator("/operators?part=replays");
    const compare = async () => {
      await page.getByRole("region", { name: "Count anew" }).getByLabel("From").fill(dateBefore(8));
      await page.getByRole("region", { name: "Count anew" }).getByLabel("Through").fill(dateBefore(6));
      await page.getByRole("button", { name: "Compare" }).click();
    };
    await compare();
    const found = page.getByRole("region", { name: "Comparison of" });
    await found.getByRole("row", { name: "Changed" }).first().waitFor();
    await found.getByRole("button", { name: "Write what differs" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("18 windows").waitFor();
    await dialog.getByRole("button", { name: "Write what differs" }).click();
    const written = page.getByRole("region", { name: "Written" });
    await written.getByRole("row", { name: "Changed" }).first().waitFor();
    await written.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
    await compare();
    await found.getByText("there is nothing to write").waitFor();
    await inPagesOf(page, 2);
    await page.reload();
    await turnsPages(page);
    await context.close();
  });

  test("an operator adds a source, sees it logged, and looks at a merchant's day", async () => {
    const { page, context } = await openAsOperator("/operators");
    await page.getByRole("link", { name: "Sources" }).click();
    await page.getByRole("button", { name: "Add a source" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: /^Id/ }).fill("till-2");
    await dialog.getByRole("textbox", { name: /^Name/ }).fill("Second till");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: "Second till" }).waitFor();
    await page.getByRole("link", { name: "Log" }).click();
    await page.getByLabel("Without reads").check();
    await page.getByRole("row", { name: "POST /v1/admin/sources" }).waitFor();
    await page.getByRole("link", { name: "Merchants" }).click();
    await page.getByRole("link", { name: "Café E2E" }).click();
    await page.getByRole("slider").waitFor();
    await addressHas(page, "merchant", CAFE);
    await context.close();
  });

  test("an operator adds a merchant, changes it, and finds it by how its name begins", async () => {
    const { page, context } = await openAsOperator("/operators?part=merchants");
    await page.getByRole("button", { name: "Add a merchant" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: /^Id/ }).fill("bakery-7");
    await dialog.getByRole("textbox", { name: /^Name/ }).fill("Backerei");
    await dialog.getByLabel("Time zone").selectOption("Europe/Berlin");
    await dialog.getByRole("textbox", { name: /^Currency/ }).fill("eur");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Change Backerei" }).click();
    await dialog.getByRole("textbox", { name: /^Name/ }).fill("Bäckerei Sommer");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("searchbox").fill("bä");
    const rows = page.getByRole("row").filter({ hasNot: page.getByRole("columnheader") });
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByRole("row", { name: "Bäckerei Sommer bakery-7 Europe/Berlin EUR" }).waitFor();
    await addressHas(page, "q", "bä");
    await context.close();
  });

  test("why a part is not well is told in the page's language, what somebody else said in theirs, and what is not known by its code as the API says it", async () => {
    const { page, context } = await openAsOperator("/sign-in-first", { locale: "ja-JP" });
    const unwell = {
      log: ["message_waits", { waiting_s: 1_700 }],
      history: ["history_away", { failure: "no answer" }],
    };
    await page.route("**/v1/admin/health", async (route) => {
      const answer = (await (await route.fetch()).json()) as { parts: Record<string, object> };
      for (const [part, [code, values]] of Object.entries({ ...unwell, archive: ["of_tomorrow", {}] })) {
        const because = { code, values };
        answer.parts[part] = { ...answer.parts[part], verdict: "degraded", reason: `English: ${code}`, because };
      }
      await route.fulfill({ json: answer });
    });
    await page.goto(new URL("/operators?part=health", cafe.url).href);
    const lines = page.getByRole("region", { name: "パイプライン" }).getByRole("listitem");
    await lines.getByText("28 分待っているメッセージがあります。").waitFor();
    await lines.getByText("ClickHouse が正しく応答しません。").locator("[lang=en]", { hasText: "no answer" }).waitFor();
    await lines.locator("[lang=en]", { hasText: "English: of_tomorrow" }).waitFor();
    await context.close();
  });

  test("an operator sees a message that was given up on, and puts it back on its queue", async () => {
    const queue = await cafe.tally.runtime.miniflare.getQueueProducer<Uint8Array>("RAW", "tally-ingest");
    for (const body of ["no message", "nor this"]) {
      await queue.send(new TextEncoder().encode(body), { contentType: "bytes" });
    }
    const letters = async () =>
      (await (await cafe.tally.read("/v1/admin/dead-letters")).json()) as { dead_letters: { id: string }[] };
    const [, letter] = await until("the dead letters", async () => {
      const { dead_letters } = await letters();
      return dead_letters.length === 2 ? dead_letters : undefined;
    });
    const { page, context } = await openAsOperator("/operators?part=log");
    await inPagesOf(page, 1);
    await page.getByRole("link", { name: "Health" }).click();
    const pipeline = page.getByRole("region", { name: "Pipeline" });
    await pipeline.getByRole("status").getByText("Degraded").waitFor();
    await pipeline.getByText("could not be dealt with").waitFor();
    await turnsPages(page);
    await page.getByRole("button", { name: `Put back ${letter?.id}` }).click();
    await page.getByText("Put back: 1.").waitFor();
    // It comes to its consumer again, which cannot read it any better.
    await until("it to die again", async () => {
      const { dead_letters } = await letters();
      return dead_letters.length === 2 && dead_letters.every(({ id }) => id !== letter?.id) ? true : undefined;
    });
    await context.close();
  });

  test.for([
    [390, [...PAGES, ...OPERATORS_PARTS]],
    [820, ["/", "/span", "/keys"]],
    [1280, ["/", "/span", "/operators"]],
  ] as const)("%i px wide, nothing moves while a page loads, or its line is pointed at", async ([width, paths]) => {
    const options = { viewport: { width, height: 900 }, asksAgain: true };
    const { page, context } = await openAsOperator(`/?merchant=${CAFE}`, options);
    await context.addInitScript(() => {
      const seen: Moved[] = [];
      Object.assign(globalThis, { moved: seen });
      new PerformanceObserver((list) => seen.push(...(list.getEntries() as unknown as Moved[]))).observe({
        type: "layout-shift",
        buffered: true,
      });
    });
    await context.addInitScript(waitLonger);
    for (const path of paths) {
      await page.goto(`${cafe.url}${path}${path.includes("?") ? "&" : "?"}merchant=${CAFE}`);
      await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
      await page.waitForFunction((waiting) => document.querySelector(waiting) === null, WAITING);
      const line = page.locator(".chart-plot").first();
      if ((await line.count()) > 0) {
        const { x, y, width } = (await line.boundingBox()) ?? { x: 0, y: 0, width: 0 };
        await page.mouse.move(x + 60, y + 50);
        await page.mouse.move(x + width - 30, y + 50, { steps: 20 });
      }
      const moved = await page.evaluate(() => (globalThis as unknown as { moved: readonly Moved[] }).moved);
      expect(
        moved.reduce((sum, { value }) => sum + value, 0),
        path,
      ).toBeLessThan(MOVED_MAX);
    }
    await context.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`no page is wider than a phone, and all of them, ${colorScheme}, are free of what axe finds`, async () => {
      const options = { colorScheme, viewport: { width: 390, height: 800 }, asksAgain: true };
      for (const path of PAGES) await looksRight(await open(path, options));
      for (const path of OPERATORS_PARTS) await looksRight(await openAsOperator(path, options));
    });
  }
});

/** Where a list goes on, of which nothing has been found. */
const CURSOR_OF_LATER = "later";
const PAUSE_S = 10;

/** Lists of as many lines as the test has, in the place of as many as the page asks for. */
async function inPagesOf(page: Page, lines: number): Promise<void> {
  await page.route(/[?&]limit=\d+/, (route) =>
    route.continue({
      url: route
        .request()
        .url()
        .replace(/(?<=[?&]limit=)\d+/, String(lines)),
    }),
  );
}

/** To the last of two pages by the keyboard, which stays where it is. */
async function turnsPages(page: Page): Promise<void> {
  const pages = page.getByRole("navigation", { name: "Pages of the list" });
  const next = pages.getByRole("button", { name: "Next" });
  await next.press("Enter");
  await pages.getByRole("status").getByText("Page 2").waitFor();
  await expect.poll(() => next.getAttribute("aria-disabled")).toBe("true");
  expect(await next.evaluate((button) => button === document.activeElement)).toBe(true);
}

/** A layout shift, as the browser scores it: how much of the screen moved, by how far. */
interface Moved {
  readonly value: number;
}
/** "Connecting …" is longer than "Live": a word moves, and no more. */
const MOVED_MAX = 0.005;
/** What a page waits for by the second it waits for by the minute: that something moves once its patience has ended is as it should be, and no matter of how fast the machine is. */
function waitLonger(): void {
  const { setTimeout: wait } = globalThis;
  const longer = (work: () => void, ms = 0) => wait(work, ms < 1_000 ? ms : 60 * ms);
  globalThis.setTimeout = longer as typeof setTimeout;
}
/** What stands in the place of what is waited for. */
const WAITING = ".placeholder, .chart-waiting, .place, .waiting, [aria-busy=true]";

const dateBefore = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

async function looksRight({ page, requested, complaints }: OpenPage): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  const path = new URL(page.url()).pathname;
  expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBe(390);
  expect(await axeFindings(page), path).toEqual([]);
  expect(requested.filter((address) => new URL(address).origin !== new URL(page.url()).origin)).toEqual([]);
  expect(complaints, path).toEqual([]);
  await page.context().close();
}

async function linesSavedBy(page: Page, locator: Locator): Promise<string[]> {
  const [download] = await Promise.all([page.waitForEvent("download"), locator.click()]);
  return (await readFile(await download.path(), "utf8")).trim().split("\r\n");
}

function countOf([header = "", ...lines]: readonly string[], value: string): number {
  const at = header.split(",").indexOf("payments_count");
  return Number(lines.find((line) => line.split(",").includes(value))?.split(",")[at]);
}
