import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { z } from "zod";
import { freePort } from "../scripts/port.ts";
import { findBrowser, NO_BROWSER } from "../test/e2e/browser.ts";
import { startDashboardSystem } from "./dashboard-system.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { optionsOf } from "./options.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run lighthouse -- [--version 13.5.0] [--json]
  Lighthouse's scores of the dashboard, signed in, over a system of its own: each page as on a phone (slow network and processor, simulated) and on a
  desk. Lighthouse is 170 MB and no dependency: npx fetches it.
  --version  of Lighthouse
  --json     one JSON object as the last line`;

const options = optionsOf(USAGE, z.object({ version: z.string().regex(/^[\w.^~-]+$/), json: z.boolean() }), {
  version: "13.5.0",
  json: false,
});

const PAGES = ["/", "/span", "/payments?span=today", "/explore?span=today", "/keys"];
const FORMS = ["phone", "desk"] as const;
const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;
const SCORE_MIN = 95;
const RUN_MS_MAX = 180_000;
/** A report has screenshots in it. */
const REPORT_BYTES_MAX = 50_000_000;

const reportSchema = z.object({
  categories: z.object(
    Object.fromEntries(CATEGORIES.map((name) => [name, z.object({ score: z.number() })])) as Record<
      (typeof CATEGORIES)[number],
      z.ZodObject<{ score: z.ZodNumber }>
    >,
  ),
  audits: z.record(
    z.string(),
    z.object({ id: z.string(), title: z.string(), score: z.number().nullable(), displayValue: z.string().optional() }),
  ),
});

const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(NO_BROWSER);
const log = (line: string) => console.error(line);
const system = await startDashboardSystem(log);
const port = await freePort();
const profileDir = await mkdtemp(join(tmpdir(), "tally-lighthouse-"));
// A context that is kept is the browser's own, which Lighthouse opens its page in: with the session.
const browser = await chromium.launchPersistentContext(profileDir, {
  executablePath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", `--remote-debugging-port=${port}`],
});
try {
  const page = await browser.newPage();
  await page.goto(`${system.url}/#key=${system.key}`);
  await page.locator(".figure-value").first().waitFor();
  await page.close();
  const results = [];
  for (const path of PAGES) for (const form of FORMS) results.push({ path, form, ...(await run(path, form)) });
  const machine = describeMachine();
  if (options.json) console.log(JSON.stringify({ results, ...options, machine }));
  else {
    const rows = results.map(({ path, form, scores }) => [`${path} (${form})`, ...scores.map(String)]);
    console.log(`${tableText([["", ...CATEGORIES], ...rows])}\n\nwanted: ${SCORE_MIN} each\n${machineLine(machine)}`);
  }
} finally {
  await browser.close();
  await system.stop();
  await rm(profileDir, { recursive: true, force: true });
}

async function run(path: string, form: (typeof FORMS)[number]) {
  const args = [
    ...["--yes", `lighthouse@${options.version}`, `${system.url}${path}`, `--port=${port}`],
    ...["--output=json", "--quiet", "--disable-storage-reset", `--only-categories=${CATEGORIES.join()}`],
    ...(form === "desk" ? ["--preset=desktop"] : []),
  ];
  log(`${path} as on a ${form}`);
  const { stdout } = await promisify(execFile)("npx", args, { maxBuffer: REPORT_BYTES_MAX, timeout: RUN_MS_MAX });
  const { categories, audits } = reportSchema.parse(JSON.parse(stdout));
  const scores = CATEGORIES.map((name) => Math.round(categories[name].score * 100));
  const failed = Object.values(audits).filter(({ score }) => score !== null && score < 0.9);
  if (scores.some((score) => score < SCORE_MIN)) {
    for (const { id, title, displayValue = "" } of failed) log(`  ${id}: ${title} ${displayValue}`);
  }
  return { scores, failed: failed.map(({ id }) => id) };
}
