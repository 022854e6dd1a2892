import { parseArgs } from "node:util";
import { z } from "zod";
import { tableText } from "../bench/table.ts";
import { failureText } from "./failure-text.ts";

const HELP = `Says what the audit has found: every hour, once it is final, is counted anew from the archive and compared with history.

  npm run audit -- --key KEY [--from TIME] [--to TIME] [--url URL] [--json]

  --from, --to TIME  such as 2026-11-01T00:00:00Z (the last seven days)
  --url URL          where the api answers (http://127.0.0.1:8788)
  --key KEY          an operator's key; without it, the environment's TALLY_KEY
  --json             the answer as it is
  --help             this text

Exit code: 0 all is, or was made, as the archive says; 1 something is not; 2 wrong usage or refused.
`;

const REQUEST_TIMEOUT_MS = 30_000;
const SHOWN_MAX = 40;

const windowsSchema = z.object({
  equal: z.int(),
  changed: z.int(),
  missing: z.int(),
  short: z.int(),
  unarchived: z.int(),
});
const auditSchema = z.object({
  from: z.string(),
  to: z.string(),
  final_through: z.string(),
  audited_through: z.string().nullable(),
  archive: z.object({
    hours_waiting: z.int(),
    earliest_waiting: z.string().nullable(),
    hours_failing: z.int(),
    failure: z.string().nullable(),
  }),
  windows: windowsSchema,
  events: z.int(),
  parts: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      events: z.int(),
      windows: windowsSchema,
      damaged_objects: z.array(z.object({ key: z.string(), reason: z.string() })),
      doubts: z
        .array(z.object({ currency: z.string(), what: z.string(), archived: z.string(), stored: z.string() }))
        .nullable(),
    }),
  ),
  differences: z.array(
    z.object({
      window: z.string(),
      merchant: z.string(),
      currency: z.string(),
      verdict: z.string(),
      archived: z.object({ events: z.int() }),
      stored: z.object({ events: z.int() }),
      done: z.string(),
    }),
  ),
});
type Audit = z.infer<typeof auditSchema>;

async function main(): Promise<number> {
  let values: ReturnType<typeof optionsOf>;
  try {
    values = optionsOf();
  } catch (error) {
    process.stderr.write(`${failureText(error)}\nnpm run audit -- --help says more.\n`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const url = URL.canParse("/v1/admin/audit", values.url) ? new URL("/v1/admin/audit", values.url) : undefined;
  if (url === undefined || values.key === "") {
    process.stderr.write(
      url === undefined ? `not a URL: ${values.url}\n` : "an operator's key is needed: --key or TALLY_KEY\n",
    );
    return 2;
  }
  for (const name of ["from", "to"] as const) if (values[name] !== undefined) url.searchParams.set(name, values[name]);
  try {
    const headers = { Authorization: `Bearer ${values.key}` };
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const text = await answer.text();
    if (!answer.ok) {
      process.stderr.write(`${answer.status} ${text.slice(0, 500)}\n`);
      return answer.status < 500 ? 2 : 1;
    }
    const audit = auditSchema.parse(JSON.parse(text));
    process.stdout.write(values.json ? `${text}\n` : reportOf(audit));
    const isWhole = audit.parts.every(
      ({ damaged_objects, doubts }) => damaged_objects.length + (doubts?.length ?? 0) === 0,
    );
    return audit.windows.short + audit.windows.unarchived === 0 && isWhole ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`);
    return 1;
  }
}

function optionsOf() {
  return parseArgs({
    options: {
      from: { type: "string" },
      to: { type: "string" },
      url: { type: "string", default: "http://127.0.0.1:8788" },
      key: { type: "string", default: process.env.TALLY_KEY ?? "" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

const grouped = (count: number) => count.toLocaleString("en-US");

function reportOf(audit: Audit): string {
  const { parts, differences, final_through, audited_through } = audit;
  const verdicts = Object.keys(windowsSchema.shape) as (keyof Audit["windows"])[];
  const rows = parts
    .slice(0, SHOWN_MAX)
    .map((part) => [
      `${part.from} to ${part.to}`,
      grouped(part.events),
      ...verdicts.map((one) => grouped(part.windows[one])),
    ]);
  const sums = ["in all", grouped(audit.events), ...verdicts.map((one) => grouped(audit.windows[one]))];
  const texts = [
    `Final through ${final_through}, audited through ${audited_through ?? "nothing yet"}.`,
    archiveText(audit.archive),
    tableText([["hours", "events", ...verdicts], ...rows, sums]),
  ];
  if (differences.length > 0) {
    texts.push(
      tableText([
        ["window", "verdict", "archived / stored", "done"],
        ...differences
          .slice(0, SHOWN_MAX)
          .map((one) => [
            `${one.window} ${one.merchant} ${one.currency}`,
            one.verdict,
            `${grouped(one.archived.events)} / ${grouped(one.stored.events)}`,
            one.done,
          ]),
      ]),
    );
  }
  const damaged = parts.flatMap(({ damaged_objects }) => damaged_objects);
  if (damaged.length > 0)
    texts.push(
      ["Damaged objects of the archive:", ...damaged.map(({ key, reason }) => `  ${key}: ${reason}`)].join("\n"),
    );
  texts.push(opinionText(parts));
  return `${texts.join("\n\n")}\n`;
}

function opinionText(parts: Audit["parts"]): string {
  const asked = parts.filter(({ doubts }) => doubts !== null);
  const doubts = asked.flatMap(({ from, doubts }) => (doubts ?? []).map((doubt) => ({ from, ...doubt })));
  if (doubts.length === 0)
    return `Second opinion, by plain sums: ${grouped(asked.length)} of ${grouped(parts.length)} parts add up.`;
  const rows = doubts
    .slice(0, SHOWN_MAX)
    .map(({ from, currency, what, archived, stored }) => [`${from} ${currency}`, what, archived, stored]);
  return `Does not add up:\n${tableText([["part", "what", "archived", "stored"], ...rows])}`;
}

function archiveText({ hours_waiting, earliest_waiting, hours_failing, failure }: Audit["archive"]): string {
  if (hours_waiting === 0) return "Archive: no hour waits to be compacted.";
  const failing = hours_failing === 0 ? "" : ` ${grouped(hours_failing)} could not be: ${failure}`;
  return `Archive: ${grouped(hours_waiting)} hours wait to be compacted, the first ${earliest_waiting}.${failing}`;
}

process.exitCode = await main();
