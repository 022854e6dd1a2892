import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { findBrowser, launchBrowser, NO_BROWSER } from "./browser.ts";
import { type Cafe, type OpenOptions, type OpenPage, openPage, startCafe } from "./dashboard.ts";

type Open = (path?: string, options?: OpenOptions) => Promise<OpenPage>;

export interface Dashboard {
  /** There once the tests run. */
  readonly cafe: Cafe;
  /** Signed in as the café. */
  readonly open: Open;
  readonly openAsOperator: Open;
  /** Signed in if the link has a key. */
  readonly openLink: Open;
}

/** Tests in a real browser, with a café of their own; skipped, with a word, where there is none. */
export function describeDashboard(name: string, tests: (dashboard: Dashboard) => void): void {
  const executable = findBrowser();
  if (executable === undefined) console.warn(`SKIPPED: ${NO_BROWSER}`);
  describe.skipIf(executable === undefined)(executable === undefined ? NO_BROWSER : name, () => {
    const cafe = {} as Cafe;
    let browser: Browser;
    beforeAll(async () => {
      Object.assign(cafe, await startCafe());
      browser = await launchBrowser(executable ?? "");
    });
    afterAll(async () => {
      await browser?.close();
      await cafe.tally?.stop();
    });
    const openLink: Open = (path = "/", options = {}) => openPage(browser, cafe.url, path, options);
    tests({
      cafe,
      open: (path = "/", options) => openLink(`${path}#key=${cafe.key}`, options),
      openAsOperator: (path = "/", options) => openLink(`${path}#key=${cafe.tally.operatorKey}`, options),
      openLink,
    });
  });
}
