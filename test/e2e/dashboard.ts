import type { Browser, BrowserContext, BrowserContextOptions, Page, Route } from "playwright-core";
import { expect } from "vitest";
import { putMerchants } from "../../scripts/directory.ts";
import { DAY_MS, HOUR_MS, WINDOW_MS, windowStart } from "../../shared/window.ts";
import { payment, startTestSystem, type TestSystem, until, WAIT_MS_MAX } from "../system.ts";

export const CAFE = "e2e-cafe";

/** A café in whose zone it is about noon, whenever the test runs, with payments today and on the days a base is made of. */
export interface Cafe {
  readonly tally: TestSystem;
  readonly key: string;
  readonly url: string;
  /** What was paid today before the test began. */
  readonly paidToday: number;
  /** A window of ten minutes as its pages name it: 11:50–12:00. */
  readonly windowName: (ms: number) => string;
}

const BASE_DAYS = [1, 7, 14, 21, 28];
/** The day in Berlin that has 25 hours: a payment in each of the two hours from two to three. */
export const LONG_DAY = "2026-10-25";
const TWICE_TWO = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"];

export async function startCafe(): Promise<Cafe> {
  const tally = await startTestSystem();
  const nowMs = Date.now();
  const timezone = zoneAtNoon(nowMs);
  await putMerchants(tally.runtime.directory, [{ id: CAFE, name: "Café E2E", timezone, currency: "JPY" }], nowMs);
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit" });
  const windowName = (ms: number) =>
    [windowStart(ms), windowStart(ms) + WINDOW_MS].map((edge) => clock.format(edge)).join("–");
  const key = await tally.merchantKey(CAFE, "manage");
  const today = morning(nowMs);
  // What is just a day old its shard does not show as yet when it comes late (docs/architecture.md, "Known limits").
  const past = BASE_DAYS.flatMap((days) => morning(nowMs).map((ms) => ms - days * DAY_MS)).filter(
    (ms) => ms < nowMs - DAY_MS - HOUR_MS,
  );
  const times = [...today, ...past, ...TWICE_TWO.map((time) => Date.parse(time))];
  await tally.send(
    times.map((ms, at) =>
      payment({
        merchant_id: CAFE,
        occurred_at: ms,
        amount: 400 + (at % 5) * 100,
        payment_method: at % 3 === 0 ? "qr" : "card",
        user: {
          id: `u${at % 17}`,
          gender: at % 2 === 0 ? "female" : "male",
          country: "JP",
          age_band: "25-34",
          device: "ios",
        },
      }),
    ),
  );
  await until("the past to be counted", async () => {
    const response = await tally.read(`/v1/merchants/${CAFE}/metrics?from=2026-10-20&granularity=1d`, key);
    const { series } = (await response.json()) as { series: readonly { total: { payments: { count: number } } }[] };
    return series[0]?.total.payments.count === times.length ? true : undefined;
  });
  return { tally, key, url: tally.runtime.apiUrl, paidToday: today.length, windowName };
}

/** Every ten minutes of the three hours before the present window. */
function morning(nowMs: number): number[] {
  const endMs = windowStart(nowMs);
  return Array.from({ length: (3 * HOUR_MS) / WINDOW_MS }, (_, at) => endMs - (at + 1) * WINDOW_MS + 60_000);
}

function zoneAtNoon(nowMs: number): string {
  const offset = 12 - new Date(nowMs).getUTCHours();
  return offset === 0 ? "UTC" : `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console said that it should not, refusals by the Content-Security-Policy among it. */
  readonly complaints: readonly string[];
  /** Where requests went. */
  readonly requested: readonly string[];
}

export interface OpenOptions extends BrowserContextOptions {
  /** What is read and answered 503, as on a busy machine, is asked for again before the page hears of it: where pages are looked at that have what they show. */
  readonly asksAgain?: boolean;
}

/** A page of a browser of its own, not signed in unless `path` does it. */
export async function openPage(
  browser: Browser,
  url: string,
  path: string,
  { asksAgain = false, ...options }: OpenOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS_MAX);
  closeQuietly(context);
  // A page that has been left needs no answer.
  if (asksAgain) await context.route("**/v1/**", (route) => askUntilAnswered(route).catch(() => {}));
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requested.push(request.url()));
  await page.goto(`${url}${path}`);
  return { page, context, complaints, requested };
}

/** What a test answers in the API's place may be on its way when the test has ended: that it does not arrive is no failure. */
function closeQuietly(context: BrowserContext): void {
  const close = context.close.bind(context);
  context.close = async (options) => {
    for (const routed of [context, ...context.pages()]) await routed.unrouteAll({ behavior: "ignoreErrors" });
    await close(options);
  };
}

async function askUntilAnswered(route: Route): Promise<void> {
  const request = route.request();
  if (request.method() !== "GET" || request.resourceType() !== "fetch") return await route.continue();
  const response = await until("an answer other than 503", async () => {
    const answer = await route.fetch();
    return answer.status() === 503 ? undefined : answer;
  });
  await route.fulfill({ response });
}

/** For the page no window ends while it is looked at, whenever that is: its clock stands in the middle of the one that is open now. */
export async function stopClock(page: Page): Promise<void> {
  await page.clock.setFixedTime(windowStart(Date.now()) + WINDOW_MS / 2);
}

/** The address, once the browser has told of all that was done to it. */
export async function addressHas(page: Page, parameter: string, value: string | null): Promise<void> {
  await expect.poll(() => new URL(page.url()).searchParams.get(parameter)).toBe(value);
}

/** A figure of those shown large. */
export const figure = (page: Page, measure: string) => page.locator(`.figure[data-measure=${measure}]`);

/** How many payments the page shows, once it does. */
export async function paid(page: Page): Promise<number> {
  const value = figure(page, "payments").locator(".figure-value:not(:has(.placeholder))");
  return Number((await value.textContent())?.replace(",", ""));
}

export async function shows(page: Page, measure: string, text: string): Promise<void> {
  await expect.poll(() => figure(page, measure).locator(".figure-value").textContent()).toBe(text);
}
