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
import { median } from "./numbers.ts";
import { optionsOf } from "./options.ts";
import { tableText } from "./table.ts";

const USAGE = `npm run lighthouse -- [--version 13.5.0] [--runs 3] [--json]
  Lighthouse's scores of the dashboard's sign-in, and, signed in, of its pages, over a system of its own: each as on a desk and as on a phone, whose slow
  network and processor are simulated. Lighthouse is no dependency: npx fetches it.
  --version  of Lighthouse
  --runs     of each page: medians are printed
  --json     one JSON object as the last line`;

const options = optionsOf(
  USAGE,
  z.object({ version: z.string().regex(/^[\w.^~-]+$/), runs: z.coerce.number().int().min(1), json: z.boolean() }),
  {
    version: "13.5.0",
    runs: "3",
    json: false,
  },
);

const SIGN_IN = "/";
const PAGES = ["/", "/span"];
const FORMS = ["desk", "phone"] as const;
const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;
const SCORE_MIN = 95;
const RUN_MS_MAX = 180_000;
const TRIES_MAX = 3;
/** A report has screenshots in it. */
const REPORT_BYTES_MAX = 50_000_000;

const categorySchema = z.object({ score: z.number(), auditRefs: z.array(z.object({ id: z.string() })) });
const auditSchema = z.object({
  id: z.string(),
  title: z.string(),
  score: z.number().nullable(),
  displayValue: z.string().optional(),
});
const reportSchema = z.object({
  categories: z.object({
    performance: categorySchema,
    accessibility: categorySchema,
    "best-practices": categorySchema,
  }),
  audits: z.record(z.string(), auditSchema),
});

interface Result {
  readonly page: string;
  readonly form: (typeof FORMS)[number];
  readonly performance: number;
  readonly accessibility: number;
  readonly best_practices: number;
}

const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(NO_BROWSER);
const log = (line: string) => console.error(line);
const system = await startDashboardSystem(log);
const port = await freePort();
const profileDir = await mkdtemp(join(tmpdir(), "tally-lighthouse-"));
// What such a context keeps is the browser's own: Lighthouse opens its page in it, with the session.
const browser = await chromium.launchPersistentContext(profileDir, {
  executablePath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", `--remote-debugging-port=${port}`],
});
try {
  const results: Result[] = [];
  for (const form of FORMS) results.push(await medianOf(SIGN_IN, "sign-in", form));
  const page = await browser.newPage();
  await page.goto(`${system.url}/#key=${system.key}`);
  await page.locator(".figure-value").first().waitFor();
  await page.close();
  for (const path of PAGES) for (const form of FORMS) results.push(await medianOf(path, path, form));
  const machine = describeMachine();
  if (options.json) console.log(JSON.stringify({ results, wanted: SCORE_MIN, ...options, machine }));
  else {
    const rows = results.map(({ page, form, ...scores }) => [
      `${page} (${form})`,
      ...[scores.performance, scores.accessibility, scores.best_practices].map(String),
    ]);
    console.log(`${tableText([["", ...CATEGORIES], ...rows])}\n\nwanted: ${SCORE_MIN} each\n${machineLine(machine)}`);
  }
} finally {
  await browser.close();
  await system.stop();
  await rm(profileDir, { recursive: true, force: true });
}

async function medianOf(path: string, page: string, form: Result["form"]): Promise<Result> {
  const runs: Result[] = [];
  for (let n = 0; n < options.runs; n++) runs.push(await run(path, page, form));
  const of = (score: (result: Result) => number) => median(runs.map(score));
  return {
    page,
    form,
    performance: of(({ performance }) => performance),
    accessibility: of(({ accessibility }) => accessibility),
    best_practices: of(({ best_practices }) => best_practices),
  };
}

async function run(path: string, page: string, form: Result["form"]): Promise<Result> {
  const args = [
    ...["--yes", `lighthouse@${options.version}`, `${system.url}${path}`, `--port=${port}`],
    ...["--output=json", "--quiet", "--disable-storage-reset", `--only-categories=${CATEGORIES.join()}`],
    ...(form === "desk" ? ["--preset=desktop"] : []),
  ];
  log(`${page} as on a ${form}`);
  const stdout = await reported(args);
  const { categories, audits } = reportSchema.parse(JSON.parse(stdout));
  const scoreOf = (name: (typeof CATEGORIES)[number]) => {
    const { score, auditRefs } = categories[name];
    const failed = auditRefs.flatMap(({ id }) => audits[id] ?? []).filter((audit) => (audit.score ?? 1) < 0.9);
    for (const { title, displayValue = "" } of failed) log(`  ${name}: ${title} ${displayValue}`);
    return Math.round(score * 100);
  };
  return {
    page,
    form,
    performance: scoreOf("performance"),
    accessibility: scoreOf("accessibility"),
    best_practices: scoreOf("best-practices"),
  };
}

/** Lighthouse loses a page's trace now and then, and asks to be run again. */
async function reported(args: readonly string[]): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return (await promisify(execFile)("npx", args, { maxBuffer: REPORT_BYTES_MAX, timeout: RUN_MS_MAX })).stdout;
    } catch (error) {
      const { stderr } = z.object({ stderr: z.string() }).parse(error);
      if (tries === TRIES_MAX || !stderr.includes("run Lighthouse again")) throw error;
      log("  once more: Lighthouse has lost the trace");
    }
  }
}
