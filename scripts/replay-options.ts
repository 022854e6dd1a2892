import { parseArgs } from "node:util";

export const REPLAY_HELP = `Counts windows of a span anew from the archive, compares them with history, and writes there what differs.

  npm run replay -- --from TIME --to TIME --key KEY [options]
  npm run replay -- --id ID --key KEY [options]

  --from, --to TIME  such as 2026-11-01 or 2026-11-01T09:00:00Z (UTC); widened to whole hours, and ended a day ago: later windows are the shards' to count
  --merchant ID      one merchant's windows alone
  --dry-run          only say what differs
  --id ID            go on watching a replay that was begun earlier
  --cancel           with --id: end it
  --url URL          where the api answers (http://127.0.0.1:8788)
  --key KEY          an operator's key; without it, the environment's TALLY_KEY
  --json             print the end as JSON instead of a table
  --help             this text

The replay runs in the Workers, whether anybody watches or not: Ctrl-C ends the watching alone, and says how to come back. Running it again ends in the same state.
Exit code: 0 history is (now) what the archive says, 1 it is not, or an object of the archive is damaged, 2 wrong usage or refused, 130 Ctrl-C.
`;

/** What to do: begin a replay, or watch or end one that was begun. */
export interface ReplayCommand {
  readonly url: string;
  readonly key: string;
  readonly json: boolean;
  readonly task:
    | { readonly kind: "begin"; readonly body: Readonly<Record<string, string | boolean>> }
    | { readonly kind: "watch" | "cancel"; readonly id: string };
}

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseReplayCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { command: ReplayCommand } | { help: true } | { wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        from: { type: "string" },
        to: { type: "string" },
        merchant: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        id: { type: "string" },
        cancel: { type: "boolean", default: false },
        url: { type: "string", default: "http://127.0.0.1:8788" },
        key: { type: "string", default: env.TALLY_KEY ?? "" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { help: true };
    const { from, to, id, merchant } = values;
    if (values.key === "") return { wrong: "an operator's key is needed: --key or TALLY_KEY" };
    if (!URL.canParse(values.url)) return { wrong: `not a URL: ${values.url}` };
    const common = { url: values.url.replace(/\/+$/, ""), key: values.key, json: values.json };
    if (id !== undefined) {
      if (from !== undefined || to !== undefined) return { wrong: "--id goes without --from and --to" };
      return { command: { ...common, task: { kind: values.cancel ? "cancel" : "watch", id } } };
    }
    if (values.cancel) return { wrong: "--cancel needs --id" };
    if (from === undefined || to === undefined) return { wrong: "--from and --to are needed, or --id" };
    const body = { from, to, dry_run: values["dry-run"], ...(merchant === undefined ? {} : { merchant }) };
    return { command: { ...common, task: { kind: "begin", body } } };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
