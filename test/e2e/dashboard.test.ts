import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { payment } from "../system.ts";
import { axeFindings } from "./axe.ts";
import { addressHas, CAFE, figure, paid, shows, stopClock } from "./dashboard.ts";
import { describeDashboard } from "./describe-dashboard.ts";

const FIRST_LOAD_BYTES_MAX = 150_000;

describeDashboard("the dashboard", ({ cafe, open, openLink }) => {
  test("a key signs in, and is kept neither in the address nor in the browser", async () => {
    const { page, context, complaints } = await openLink("/", { asksAgain: true });
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
    const { page, context, complaints, requested } = await open("/", { asksAgain: true });
    await figure(page, "payments").waitFor();
    await expect.poll(() => page.url()).toBe(`${cafe.url}/`);
    expect(requested.filter((address) => !address.startsWith(cafe.url))).toEqual([]);
    // Whose numbers they are comes with the session: nothing else is asked for before them.
    const asked = requested.filter((address) => address.includes("/v1/")).map((address) => new URL(address).pathname);
    expect(asked.slice(0, 2)).toEqual(["/v1/session", `/v1/merchants/${CAFE}/metrics`]);
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
    await page.locator(".readout", { hasText: `Payments ${before + 1}` }).waitFor();
    expect(await page.evaluate(() => "isSamePage" in globalThis)).toBe(true);
    await context.close();
  });

  test("the day is asked for once, though its stream opens while its answer is on its way", async () => {
    const { page, context, requested } = await open("/span");
    await figure(page, "payments").waitFor();
    // When a window ends the day is asked for again.
    await stopClock(page);
    const isDay = ({ href }: URL) => href.includes("granularity=10m") && href.includes("compare=");
    const stream = page.waitForResponse((response) => response.url().includes("/live?"));
    await page.route(isDay, async (route) => {
      await stream;
      // What a page does when its stream opens, it does within a few frames.
      for (let frame = 0; frame < 5; frame++) await page.evaluate(() => new Promise(requestAnimationFrame));
      await route.continue();
    });
    await page.getByRole("link", { name: "Today" }).click();
    await paid(page);
    expect(requested.filter((address) => isDay(new URL(address)))).toHaveLength(1);
    await context.close();
  });

  test("a payment that comes late is marked where it belongs, with by how much and when", async () => {
    const { page, context } = await open("/?line=each");
    await page.getByText("Live", { exact: true }).waitFor();
    const before = await paid(page);
    const paidAtMs = Date.now() - 2 * HOUR_MS;
    await cafe.tally.send([payment({ merchant_id: CAFE, amount: 1_200, occurred_at: paidAtMs })]);
    await shows(page, "payments", String(before + 1));
    await pointAt(page, cafe.windowName(paidAtMs));
    // The total comes by the stream, the window by an answer that may take longer.
    await page.locator(".readout .revised", { hasText: "revised +¥1,200 at" }).waitFor();
    await context.close();
  });

  test("what today is compared with can be chosen, and the address says it", async () => {
    const { page, context } = await open();
    await figure(page, "net").locator(".figure-base").waitFor();
    await page.getByLabel("Compared with").selectOption({ label: "Nothing" });
    await figure(page, "net").locator(".figure-base").waitFor({ state: "detached" });
    await page.getByLabel("Compared with").selectOption({ label: "Four weeks' average" });
    await figure(page, "net").locator(".figure-base").waitFor();
    await addressHas(page, "compare", "four_week_average");
    const again = await context.newPage();
    await again.goto(page.url());
    await figure(again, "net").locator(".figure-base").waitFor();
    expect(await again.getByLabel("Compared with").inputValue()).toBe("four_week_average");
    await context.close();
  });

  test("keys that come before the line is drawn count", async () => {
    const { page, context } = await open();
    await paid(page);
    await page.addInitScript((keys) => {
      const told: string[] = [];
      Object.assign(globalThis, { told });
      // One a frame: the line is made in one frame and drawn in a later one.
      const step = () => {
        requestAnimationFrame(step);
        const chart = document.querySelector("[role=slider]");
        if (chart === null || told.length > keys) return;
        told.push(chart.getAttribute("aria-valuetext") ?? "");
        chart.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
      };
      requestAnimationFrame(step);
    }, STEPS);
    // The line goes on by a window when one ends.
    await stopClock(page);
    await page.goto(`${cafe.url}/?line=each&compare=none`);
    const told = () => page.evaluate(() => (globalThis as unknown as { readonly told: readonly string[] }).told);
    await expect.poll(async () => (await told()).length).toBeGreaterThan(STEPS);
    const starts = (await told()).map((text) => minuteOf(text.slice(0, 5)));
    expect(starts.slice(1)).toEqual(starts.slice(0, -1).map((minute) => minute - WINDOW_MS / 60_000));
    await context.close();
  });

  test("numbers that come before the line is drawn are drawn", async () => {
    const { page, context } = await open();
    await paid(page);
    await page.addInitScript(() => {
      // Another figure in each frame until the line is drawn.
      const figures = ["payments", "net"];
      const change = () => {
        if (document.querySelector("[role=slider] canvas") !== null) return;
        requestAnimationFrame(change);
        if (document.querySelector("[role=slider]") === null) return;
        document.querySelector<HTMLElement>(`.figure[data-measure=${figures[0]}]`)?.click();
        figures.reverse();
      };
      requestAnimationFrame(change);
    });
    await page.goto(`${cafe.url}/?line=each&compare=none`);
    const drawn = (on: Page) =>
      on.locator("[role=slider] canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    await drawn(page);
    const measure = await page.locator(".figure[aria-pressed=true]").getAttribute("data-measure");
    const { page: straight, context: other } = await open(`/?line=each&compare=none&measure=${measure}`);
    await expect.poll(async () => (await drawn(page)) === (await drawn(straight))).toBe(true);
    await other.close();
    await context.close();
  });

  test("a point of the line leads to its payments, by Enter and by a click, and the browser's back leads back", async () => {
    const { page, context } = await open("/?line=each&compare=none");
    const chart = page.getByRole("slider");
    // Each window of the last hours has a payment (startCafe).
    const window = cafe.windowName(Date.now() - HOUR_MS);
    await pointAt(page, window);
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/¥[1-9]/);
    await chart.press("Enter");
    const rows = page.getByRole("row").filter({ hasNot: page.getByRole("columnheader") });
    await rows.first().waitFor();
    for (const time of await rows.getByRole("button").allTextContents())
      expect(time.slice(-5) >= window.slice(0, 5) && time.slice(-5) < window.slice(-5)).toBe(true);
    await page.goBack();
    // The chart is drawn some frames after its place is there.
    const drawn = page.locator(".chart-plot .u-over");
    await drawn.hover();
    await drawn.click();
    await page.waitForURL(/\/payments\?.*since=/);
    await context.close();
  });

  test("what came late before the page was opened is told with by how much, by the archive", async () => {
    const { page, context } = await open("/?line=each&compare=none");
    // All that startCafe sends of today is late by some minutes to three hours.
    await pointAt(page, cafe.windowName(Date.now() - HOUR_MS));
    await page.locator(".readout .revised", { hasText: /revised \+¥[1-9]00 at/ }).waitFor();
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
    const waiting = await openLink("/");
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
        await figure(page, "net").locator(".figure-base").waitFor();
        expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(GROUND[colorScheme]);
        expect(await axeFindings(page)).toEqual([]);
        await context.close();
      }
    }
    const { page, context } = await open("/", { colorScheme: "light" });
    await figure(page, "net").locator(".figure-base").waitFor();
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
        // What is drawn last.
        if (path === "/span") await page.locator(".histogram").waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} at ${width}`).toBe(width);
        await context.close();
      }
    }
  });

  test("that nobody has paid for an hour is told where it moves nothing", async () => {
    const { page, context } = await open("/", { viewport: { width: 375, height: 812 } });
    const chart = page.getByRole("slider");
    await chart.waitFor();
    await figure(page, "net").locator(".figure-base").waitFor();
    const before = await chart.boundingBox();
    await context.route("**/live?*", (route) => route.abort());
    await context.route("**/metrics?*compare=*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: silentFor(90 * 60_000, await response.json()) });
    });
    await page.reload();
    await page.getByText(/^No payments for \d+ minutes/).waitFor();
    expect((await chart.boundingBox())?.y).toBe(before?.y);
    await context.close();
  });

  test("when the session has ended, what was shown stays, and a new sign-in goes on with it", async () => {
    const { page, context } = await open();
    await figure(page, "net").locator(".figure-base").waitFor();
    await context.clearCookies();
    await page.getByLabel("Compared with").selectOption({ label: "Period before" });
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Your session has ended").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByLabel("Key").fill(cafe.key);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    await figure(page, "net").locator(".figure-base").waitFor();
    await addressHas(page, "compare", "previous_period");
    await context.close();
  });

  test("nobody is told to be signed out who is not; signed out in one tab is signed out in the other", async () => {
    const { page, context } = await open();
    await figure(page, "net").locator(".figure-base").waitFor();
    const other = await context.newPage();
    await other.goto(cafe.url);
    await figure(other, "net").locator(".figure-base").waitFor();
    await context.route("**/v1/session", (route) => route.abort());
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("alert").getByText("You are still signed in.").waitFor();
    await context.unroute("**/v1/session");
    await page.getByRole("button", { name: "Sign out" }).click();
    for (const tab of [page, other]) await tab.getByLabel("Key").waitFor();
    expect(await other.locator(".figure").count()).toBe(0);
    await page.getByLabel("Key").fill(cafe.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await figure(other, "net").locator(".figure-base").waitFor();
    await context.close();
  });

  test("while the API is away the numbers stay, with when they were read, and what was not read is no number; then it goes on", async () => {
    const { page, context } = await open("/span?span=today");
    await figure(page, "payments").locator(".figure-value", { hasText: /\d/ }).waitFor();
    const before = await figure(page, "payments").locator(".figure-value").textContent();
    const place = await figure(page, "payments").boundingBox();
    await context.route("**/v1/**", (route) => route.abort());
    await page.getByLabel("Compared with").selectOption({ label: "A year ago" });
    await page.getByText("No connection.").waitFor();
    expect(await figure(page, "payments").boundingBox()).toEqual(place);
    await shows(page, "payments", before ?? "");
    expect(await figure(page, "net").locator(".figure-base").count()).toBe(0);
    await page.getByLabel("Compared with").selectOption({ label: "Same weekday before" });
    await shows(page, "payments", before ?? "");
    await page.getByRole("button", { name: /^Span:/ }).click();
    await page.getByRole("button", { name: /^Yesterday/ }).click();
    await shows(page, "payments", "–");
    await expect.poll(() => page.locator("[aria-busy=true], .placeholder, .chart-waiting").count()).toBe(0);
    await page.getByRole("button", { name: "Try again" }).first().focus();
    await context.unroute("**/v1/**");
    await page.keyboard.press("Enter");
    await page.getByText("No connection.").waitFor({ state: "detached" });
    await figure(page, "payments").locator(".figure-value", { hasText: /\d/ }).waitFor();
    // An answer that is a refusal is no lack of a connection, and told of all the same beside the numbers of before.
    await context.route("**/metrics?*", (route) =>
      route.fulfill({ status: 503, json: { code: "history_unavailable" } }),
    );
    await page.getByLabel("Compared with").selectOption({ label: "Four weeks' average" });
    await page.getByRole("alert").getByText("The numbers are those of").waitFor();
    await context.route("**/v1/**", (route) => route.abort());
    await page.reload();
    await page.getByRole("alert").getByText("Tally cannot be reached.").waitFor();
    // Asked for at once; and without it, too, some seconds later, so that there may be no button any more when all is well.
    const asked = page.waitForRequest("**/v1/session");
    await page.getByRole("button", { name: "Try again" }).click();
    await asked;
    await context.unrouteAll();
    await figure(page, "payments").locator(".figure-value", { hasText: /\d/ }).waitFor();
    await context.close();
  });
});

/** Fewer than there are windows before noon. */
const STEPS = 40;
const minuteOf = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

const GROUND = { light: "rgb(246, 247, 247)", dark: "rgb(16, 20, 22)" } as const;

/** A day's answer in which nobody has paid of late. */
function silentFor(ms: number, answer: { readonly as_of: string; readonly series: readonly { buckets: Bucket[] }[] }) {
  const sinceMs = Date.parse(answer.as_of) - ms;
  const silent = (bucket: Bucket) =>
    Date.parse(bucket.start) < sinceMs ? bucket : { ...bucket, payments: { ...bucket.payments, count: 0 } };
  return { ...answer, series: answer.series.map((one) => ({ ...one, buckets: one.buckets.map(silent) })) };
}

interface Bucket {
  readonly start: string;
  readonly payments: { readonly count: number };
}

/** By the keyboard, from wherever the line stands to a window of its day. */
async function pointAt(page: Page, window: string): Promise<void> {
  const chart = page.getByRole("slider");
  await chart.focus();
  const told = async () => ((await chart.getAttribute("aria-valuetext")) ?? "").slice(0, window.length);
  // The line goes on by itself while it is steered: what counts is where it stands, not how many steps were taken.
  await expect
    .poll(async () => {
      const at = await told();
      if (at !== window) await chart.press(at > window ? "ArrowLeft" : "ArrowRight");
      return told();
    })
    .toBe(window);
}
