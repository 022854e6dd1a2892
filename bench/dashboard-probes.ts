import { gzipSync } from "node:zlib";
import type { Browser, Page, Request } from "playwright-core";
import type { DashboardSystem } from "./dashboard-system.ts";

/** What a browser is asked to do with the dashboard, each measured inside the page by its own clock. */

const VIEWPORT = { width: 1280, height: 900 };
const WAIT_MS = 60_000;

export interface FirstLoad {
  /** Of all that comes over the network until the numbers are there, each answer compressed by itself; of the stream that stays open nothing counts. */
  readonly gzipBytes: number;
  /** Of that the site's own files, without the API's answers. */
  readonly filesGzipBytes: number;
  /** From the start of the navigation until figures and line are drawn. */
  readonly usableMs: number;
}

/** A first visit, by a browser that has nothing kept. */
export async function measureFirstLoad(browser: Browser, { url, key }: DashboardSystem): Promise<FirstLoad> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const page = await context.newPage();
  const requested: Request[] = [];
  page.on("request", (request) => requested.push(request));
  await page.addInitScript(watchUntilDrawn);
  await page.goto(`${url}/#key=${key}`);
  const usableMs = await drawnAt(page);
  const answers = await Promise.all([...requested].map(answerOf));
  await context.close();
  return {
    gzipBytes: sum(answers),
    filesGzipBytes: sum(answers.filter(({ isFile }) => isFile)),
    usableMs,
  };
}

interface LoadedAnswer {
  readonly isFile: boolean;
  readonly gzipBytes: number;
}

async function answerOf(request: Request): Promise<LoadedAnswer> {
  const isFile = !new URL(request.url()).pathname.startsWith("/v1/");
  const response = await request.response();
  const type = (await response?.headerValue("content-type")) ?? "";
  if (response === null || type.startsWith("text/event-stream")) return { isFile, gzipBytes: 0 };
  // The browser does not keep every body; its length is more than it would be compressed.
  const length = Number((await response.headerValue("content-length")) ?? 0);
  const gzipBytes = await response.body().then(
    (body) => gzipSync(body).length,
    () => length,
  );
  return { isFile, gzipBytes };
}

const sum = (answers: readonly LoadedAnswer[]) => answers.reduce((all, { gzipBytes }) => all + gzipBytes, 0);

/** Sets `drawnAtMs` once there are figures and a line, after the frame that shows them. */
function watchUntilDrawn(): void {
  const look = () => {
    const isDrawn =
      document.querySelector(".figure-value") !== null &&
      document.querySelector(".figure-value .placeholder") === null &&
      document.querySelector(".chart-plot canvas") !== null;
    requestAnimationFrame(isDrawn ? () => Object.assign(globalThis, { drawnAtMs: performance.now() }) : look);
  };
  requestAnimationFrame(look);
}

async function drawnAt(page: Page): Promise<number> {
  const found = await page.waitForFunction(
    () => Reflect.get(globalThis, "drawnAtMs") as number | undefined,
    undefined,
    {
      timeout: WAIT_MS,
    },
  );
  const value = await found.jsonValue();
  if (value === undefined) throw new Error("nothing was drawn");
  return value;
}

/** Back and forth between spans that are in memory: from the step in the browser's history until the frame after all of it is drawn. */
export async function measureSpanChanges(page: Page, url: string, changes: number): Promise<number[]> {
  await page.goto(`${url}/span?span=last-28-days`);
  await settled(page);
  await choose(page, /^Last 12 months/);
  await settled(page);
  const took: number[] = [];
  for (let change = 0; change < changes; change++) {
    took.push(await page.evaluate(stepInHistory, change % 2 === 0 ? -1 : 1));
    await settled(page);
  }
  return took;
}

async function choose(page: Page, preset: RegExp): Promise<void> {
  await page.getByRole("button", { name: /^Span:/ }).click();
  await page.getByRole("button", { name: preset }).click();
}

/** Nothing is waited for any more. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      document.querySelector(".chart-waiting, .placeholder, [aria-busy=true]") === null &&
      document.querySelector(".chart-plot canvas") !== null,
    undefined,
    { timeout: WAIT_MS },
  );
}

function stepInHistory(steps: number): Promise<number> {
  const shown = () => document.querySelector(".span-picker button")?.textContent;
  const before = shown();
  return new Promise((resolve) => {
    const startMs = performance.now();
    const look = () => {
      const isDrawn = shown() !== before && document.querySelector(".chart-waiting, .placeholder") === null;
      // In the frame after this one it is on the screen.
      requestAnimationFrame(isDrawn ? () => resolve(performance.now() - startMs) : look);
    };
    requestAnimationFrame(look);
    history.go(steps);
  });
}

/** Shows five years by day over the year before, half of them at a time. */
export async function showFiveYears(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/span?span=last-5-years&granularity=1d&compare=year_ago`);
  await settled(page);
  const points = Number(await page.getByRole("slider").getAttribute("aria-valuemax"));
  if (points < 1_800) throw new Error(`only ${points} days are drawn`);
  await page.getByRole("button", { name: "Zoom in" }).click();
}

/** How long each frame took while what is shown is panned, a move of the mouse a frame. */
export async function measurePan(page: Page, moves: number): Promise<number[]> {
  const box = await page.locator(".chart-plot .u-over").boundingBox();
  if (box === null) throw new Error("the chart is not shown");
  await page.keyboard.down("Shift");
  const took = await dragAcross(page, box, moves);
  await page.keyboard.up("Shift");
  return took;
}

/** The same moves over a canvas of the chart's size that is filled at each: what the browser drops by itself on this machine. */
export async function measureBareFrames(browser: Browser, moves: number): Promise<number[]> {
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.setContent(`<canvas width="${BARE.width}" height="${BARE.height}"></canvas>`);
  await page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    addEventListener("mousemove", ({ clientX }) => {
      const drawing = canvas?.getContext("2d");
      drawing?.clearRect(0, 0, canvas?.width ?? 0, canvas?.height ?? 0);
      drawing?.fillRect(0, 0, clientX, canvas?.height ?? 0);
    });
  });
  const took = await dragAcross(page, { x: 0, y: 0, ...BARE }, moves);
  await page.close();
  return took;
}

const BARE = { width: 1_100, height: 280 };

/** There and back, so that there is always something to move to. */
async function dragAcross(
  page: Page,
  box: Readonly<Record<"x" | "y" | "width" | "height", number>>,
  moves: number,
): Promise<number[]> {
  const y = box.y + box.height / 2;
  const left = box.x + box.width * 0.1;
  const width = box.width * 0.8;
  await page.mouse.move(left + width, y);
  await page.mouse.down();
  const frames = page.evaluate(recordFrames, moves);
  for (let move = 0; move < moves; move++) {
    const share = Math.abs(((move * 2) / moves) * 2 - 1 - (move * 2 > moves ? 2 : 0));
    await page.mouse.move(left + width * share, y);
  }
  const took = await frames;
  await page.mouse.up();
  return took;
}

function recordFrames(frames: number): Promise<number[]> {
  return new Promise((resolve) => {
    const took: number[] = [];
    let before = performance.now();
    const next = (now: number) => {
      took.push(now - before);
      before = now;
      if (took.length < frames) requestAnimationFrame(next);
      else resolve(took);
    };
    requestAnimationFrame((now) => {
      before = now;
      requestAnimationFrame(next);
    });
  });
}
