import { SingleBar } from "cli-progress";
import { z } from "zod";
import { tableText } from "../bench/table.ts";
import { failureText } from "./failure-text.ts";
import { parseReplayCommand, REPLAY_HELP, type ReplayCommand } from "./replay-options.ts";
import { sleep } from "./sleep.ts";

const POLL_MS = 500;
const REQUEST_TIMEOUT_MS = 30_000;
/** The api may be away for so many polls in a row before the watching ends. */
const FAILED_POLLS_MAX = 60;
const SHOWN_MAX = 20;

const shownSchema = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  dry_run: z.boolean(),
  state: z.enum(["running", "done", "cancelled"]),
  progress: z.number(),
  failure: z.string().optional(),
  events: z.int(),
  windows: z.object({
    equal: z.int(),
    changed: z.int(),
    missing: z.int(),
    short: z.int(),
    unarchived: z.int(),
  }),
  damaged_objects: z.array(z.object({ key: z.string(), reason: z.string() })).default([]),
  differences: z
    .array(
      z.object({
        window: z.string(),
        merchant: z.string(),
        currency: z.string(),
        verdict: z.string(),
        archived: z.object({ events: z.int(), payments_amount: z.string() }),
        stored: z.object({ events: z.int(), payments_amount: z.string() }),
      }),
    )
    .default([]),
});
type Shown = z.infer<typeof shownSchema>;

/** What the api answered with instead of a replay. */
class Refused extends Error {}

async function main(): Promise<number> {
  const parsed = parseReplayCommand(process.argv.slice(2), process.env);
  if ("help" in parsed) {
    process.stdout.write(REPLAY_HELP);
    return 0;
  }
  if ("wrong" in parsed) {
    process.stderr.write(`${parsed.wrong}\nnpm run replay -- --help says more.\n`);
    return 2;
  }
  try {
    return await run(parsed.command);
  } catch (error) {
    process.stderr.write(`${error instanceof Refused ? error.message : failureText(error)}\n`);
    return error instanceof Refused ? 2 : 1;
  }
}

async function run(command: ReplayCommand): Promise<number> {
  const { task } = command;
  if (task.kind === "cancel") {
    await call(command, "DELETE", `/${task.id}`);
    process.stderr.write(`${task.id} is ended; what it had written stays.\n`);
    return 0;
  }
  const begun =
    task.kind === "begin"
      ? z.object({ id: z.string() }).parse(await call(command, "POST", "", JSON.stringify(task.body))).id
      : task.id;
  const shown = await watch(command, begun);
  process.stdout.write(command.json ? `${JSON.stringify(shown)}\n` : reportOf(shown));
  const { changed, missing, short, unarchived } = shown.windows;
  const differs = short + unarchived + (shown.dry_run ? changed + missing : 0);
  return shown.state === "done" && differs === 0 && shown.damaged_objects.length === 0 ? 0 : 1;
}

/** Until it ends. The api may be away for a while: the replay goes on, or is gone on with, all the same. */
async function watch(command: ReplayCommand, id: string): Promise<Shown> {
  const bar = new SingleBar({
    stream: process.stderr,
    format: "{bar} {percentage} % | {counts}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
  process.once("SIGINT", () => {
    bar.stop();
    process.stderr.write(`\nThe replay goes on. npm run replay -- --id ${id} watches it again.\n`);
    process.exit(130);
  });
  bar.start(1_000, 0, { counts: "beginning" });
  try {
    for (let failed = 0; ; await sleep(POLL_MS)) {
      try {
        const shown = shownSchema.parse(await call(command, "GET", `/${id}`));
        failed = 0;
        bar.update(Math.floor(shown.progress * 1_000), { counts: countsOf(shown) });
        if (shown.state !== "running") return shown;
      } catch (error) {
        if (error instanceof Refused || ++failed > FAILED_POLLS_MAX) throw error;
        bar.update({ counts: `the api does not answer: ${failureText(error)}` });
      }
    }
  } finally {
    bar.stop();
  }
}

const grouped = (count: number) => count.toLocaleString("en-US");

function countsOf({ windows, events, failure }: Shown): string {
  const unusual = Object.entries(windows).filter(([verdict, count]) => verdict !== "equal" && count > 0);
  return [
    `${grouped(events)} events`,
    `${grouped(windows.equal)} windows equal`,
    ...unusual.map(([verdict, count]) => `${grouped(count)} ${verdict}`),
    ...(failure === undefined ? [] : [`trying again: ${failure.slice(0, 80)}`]),
  ].join(" | ");
}

const MEANING = {
  equal: "as the archive says",
  changed: "had other numbers",
  missing: "were not in history",
  short: "have fewer events in the archive than in history: left as they are",
  unarchived: "have no events in the archive: left as they are",
} as const;

function reportOf(shown: Shown): string {
  const { windows, differences, damaged_objects, dry_run, events, from, to, state } = shown;
  const written = dry_run ? "nothing was written" : "written where history had less or other numbers";
  const sums = Object.entries(MEANING).map(([verdict, meaning]) => [
    `${verdict}: ${meaning}`,
    grouped(windows[verdict as keyof typeof windows]),
  ]);
  const rows = differences
    .slice(0, SHOWN_MAX)
    .map((one) => [
      `${one.window} ${one.merchant} ${one.currency}`,
      one.verdict,
      `${grouped(one.archived.events)} / ${grouped(one.stored.events)}`,
      `${one.archived.payments_amount} / ${one.stored.payments_amount}`,
    ]);
  const parts = [
    `${from} to ${to}: ${state}; ${grouped(events)} events of the archive; ${written}`,
    tableText([["windows", "number"], ...sums]),
  ];
  if (rows.length > 0) {
    parts.push(tableText([["window", "verdict", "events archived / stored", "payments archived / stored"], ...rows]));
    if (differences.length > rows.length)
      parts.push(`… and ${grouped(differences.length - rows.length)} more; --json has them.`);
  }
  if (damaged_objects.length > 0) {
    parts.push(
      [
        "Objects of the archive that cannot be read whole:",
        ...damaged_objects.map(({ key, reason }) => `  ${key}: ${reason}`),
      ].join("\n"),
    );
  }
  return `${parts.join("\n\n")}\n`;
}

async function call({ url, key }: ReplayCommand, method: string, path: string, body?: string): Promise<unknown> {
  const answer = await fetch(`${url}/v1/admin/replays${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(body === undefined ? {} : { body }),
  });
  if (answer.ok) return answer.status === 204 ? undefined : await answer.json();
  const text = await answer.text();
  const problem = z.object({ title: z.string(), detail: z.string().optional() }).safeParse(tryParse(text));
  const said = problem.success
    ? [problem.data.title, problem.data.detail].filter(Boolean).join(": ")
    : text.slice(0, 200);
  if (answer.status >= 500) throw new Error(said);
  throw new Refused(`${answer.status} ${said}`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

process.exitCode = await main();
