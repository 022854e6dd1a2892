import { confirm, isCancel, password, text } from "@clack/prompts";
import { isOrigin } from "./options.ts";
import { type AccountState, questionsOf, type SecretValues } from "./plan.ts";
import { SECRETS } from "./secrets.ts";

/** Something is missing that only a person has; the message says what, and where it goes. */
export class Missing extends Error {
  override readonly name = "Missing";
}

const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;

/** An address of ClickHouse that neither the command line nor an earlier run has named. */
export async function askClickHouseUrl(): Promise<string> {
  if (!isTerminal) throw new Missing("where is ClickHouse? --clickhouse-url https://…");
  const validate = (url: string | undefined) =>
    isOrigin(url ?? "") ? undefined : "An address, such as https://abc.clickhouse.cloud:8443";
  return answered(await text({ message: "Where is ClickHouse?", placeholder: "https://…:8443", validate })).replace(
    /\/+$/,
    "",
  );
}

/** Of the administrator; without a terminal it is the environment's, or none. */
export async function askAdminPassword(user: string): Promise<string> {
  const given = process.env.CLICKHOUSE_ADMIN_PASSWORD;
  if (given !== undefined || !isTerminal) return given ?? "";
  return answered(await password({ message: `Password of ClickHouse's ${user} (Enter for none)` }));
}

/** Asks for what only a person knows; an empty answer, and no terminal, is none. */
export async function askSecrets(state: AccountState, values: SecretValues): Promise<SecretValues> {
  const all = new Map(values);
  const leftOut = new Set<string>();
  for (const { name, origin } of questionsOf(state, SECRETS, values)) {
    if (origin.kind !== "asked") continue;
    const value = isTerminal
      ? answered(await password({ message: `${origin.question} (Enter to do without: ${origin.without})` }))
      : "";
    all.set(name, value === "" ? null : value);
    if (value === "") leftOut.add(origin.without);
  }
  for (const without of leftOut) console.log(`  Left out for now: ${without}.`);
  return all;
}

export async function agree(): Promise<void> {
  if (!isTerminal) throw new Missing("nothing has been changed; --yes to go on without being asked");
  if (!answered(await confirm({ message: "Do it?" }))) throw new Missing("nothing has been changed");
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new Missing("nothing has been changed");
  return answer as Exclude<T, symbol>;
}
