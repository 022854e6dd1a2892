import { parseArgs } from "node:util";
import { hashUser } from "../shared/identity.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";

export const ERASE_HELP = `Takes users out of the archive. Their events stay, as those of nobody in particular, and every number stays what it is.

  npm run erase -- --user ID --key KEY [options]
  npm run erase -- --user-hash HASH --key KEY [options]

  --user ID          as the source sends it; hashed here, so that it goes nowhere. Needs --user-key. May be repeated
  --user-hash HASH   16 hex digits, as events show them in user.id_hash. May be repeated
  --user-key HEX     the secret USER_KEY of ingest; better in the environment's TALLY_USER_KEY
  --to TIME          only events before, such as 2026-11-01 (UTC); all that there are now if left out
  --url URL          where the api answers (http://127.0.0.1:8788)
  --key KEY          an operator's key; without it, the environment's TALLY_KEY
  --json             print what was begun as JSON
  --help             this text

It runs in the Workers, hour after hour, and is done with events of today once they are final, some 31 hours later: GET /v1/admin/erasures says how far
it is. Running it again ends in the same state.
Exit code: 0 it runs, 1 the api does not answer, 2 wrong usage or refused.
`;

export interface EraseCommand {
  readonly url: string;
  readonly key: string;
  readonly json: boolean;
  readonly body: { readonly user_hashes: readonly string[]; readonly to?: string };
}

/** The command line as data: what to do, a request for help, or one sentence on what is wrong with it. */
export function parseEraseCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly command: EraseCommand } | { readonly help: true } | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        user: { type: "string", multiple: true, default: [] },
        "user-hash": { type: "string", multiple: true, default: [] },
        "user-key": { type: "string", default: env.TALLY_USER_KEY ?? "" },
        to: { type: "string" },
        url: { type: "string", default: "http://127.0.0.1:8788" },
        key: { type: "string", default: env.TALLY_KEY ?? "" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { help: true };
    const { user, to, url, json } = values;
    const userKey = values["user-key"];
    if (values.key === "") return { wrong: "an operator's key is needed: --key or TALLY_KEY" };
    if (!URL.canParse(url)) return { wrong: `not a URL: ${url}` };
    if (user.length > 0 && !/^[0-9a-f]{32}$/.test(userKey)) {
      return { wrong: "--user needs ingest's USER_KEY, 32 hex digits: --user-key or TALLY_USER_KEY" };
    }
    const hashed = user.map((id) => hashUser(sipKeyFromHex(userKey), id));
    const user_hashes = [...values["user-hash"], ...hashed];
    if (user_hashes.length === 0) return { wrong: "--user or --user-hash is needed" };
    const body = { user_hashes, ...(to === undefined ? {} : { to }) };
    return { command: { url: url.replace(/\/+$/, ""), key: values.key, json, body } };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
