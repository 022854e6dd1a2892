import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { WAIT_MS_MAX } from "../system.ts";

/** Debian's, Ubuntu's, and Google's; `CHROMIUM` names another. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** `undefined` where there is none: then the tests that want one are skipped, and say so. */
export function findBrowser(): string | undefined {
  const given = process.env.CHROMIUM;
  return (given === undefined ? PLACES : [given]).find((place) => existsSync(place));
}

export const NO_BROWSER = `the dashboard is not tested: there is no Chromium at ${PLACES.join(", ")}, nor where CHROMIUM says (apt-get install chromium)`;

export async function launchBrowser(executablePath: string): Promise<Browser> {
  // As root, as CI is, Chromium runs without its own sandbox only; it sees nothing but our own pages.
  return await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    timeout: WAIT_MS_MAX,
  });
}
