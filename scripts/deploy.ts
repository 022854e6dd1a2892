import { join } from "node:path";
import { PROJECT_DIR, WORKERS } from "./build.ts";
import { Account, AccountError, type Credentials, TOKEN_PERMISSIONS } from "./deploy/account.ts";
import { agree, askAdminPassword, askClickHouseUrl, askSecrets, Missing } from "./deploy/ask.ts";
import { LocalFiles, withPlanConfig, writeDeployConfig } from "./deploy/local-files.ts";
import { DEPLOY_HELP, type DeployCommand, parseDeployCommand, type Remembered } from "./deploy/options.ts";
import {
  type AccountState,
  EMPTY_ACCOUNT,
  planDeployment,
  questionsOf,
  type SecretValues,
  type Step,
} from "./deploy/plan.ts";
import { runPlan, textOf } from "./deploy/run-plan.ts";
import { faultsOf, SECRET_VARIABLES, SECRETS } from "./deploy/secrets.ts";
import { type Config, configOf, NO_DATABASE_ID, readConfig, type Wanted, wantedBy } from "./deploy/wanted.ts";
import { checkBuild } from "./deploy/wrangler.ts";

const DATABASE = "tally";

async function main(): Promise<void> {
  const parsed = parseDeployCommand(process.argv.slice(2));
  if ("help" in parsed) return void process.stdout.write(DEPLOY_HELP);
  if ("wrong" in parsed) throw new Missing(`${parsed.wrong} (--help says what there is)`);
  const { command } = parsed;
  const config = await readConfig(join(PROJECT_DIR, "wrangler.toml"));
  const wanted = wantedBy(config);
  const credentials = credentialsOf(process.env);
  if (credentials !== undefined) return await deploy(config, wanted, credentials, command);
  if (!command.isDryRun) {
    const page = "https://dash.cloudflare.com/profile/api-tokens";
    throw new Missing(`CLOUDFLARE_API_TOKEN is not set: make a token at ${page} with ${TOKEN_PERMISSIONS.join(", ")}`);
  }
  secretsAtHand({}, process.env);
  console.log("No CLOUDFLARE_API_TOKEN: this is the plan for an account that has nothing of Tally yet.\n");
  printPlan(planned(wanted, EMPTY_ACCOUNT, new Map()));
  await checkBuilds(config, undefined, {});
}

function credentialsOf(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const token = environment.CLOUDFLARE_API_TOKEN;
  if (!token) return undefined;
  const accountId = environment.CLOUDFLARE_ACCOUNT_ID || undefined;
  return { token, accountId, apiUrl: environment.CLOUDFLARE_API_BASE_URL || undefined };
}

async function deploy(config: Config, wanted: Wanted, credentials: Credentials, command: DeployCommand): Promise<void> {
  const account = await Account.open(credentials);
  const files = new LocalFiles(account.id);
  const state = await account.read(wanted);
  const remembered = merged(await files.remembered(), command);
  const atHand = secretsAtHand(await files.secrets(), process.env);
  if (command.isDryRun) {
    printPlan(planned(wanted, state, atHand));
    for (const { name } of questionsOf(state, SECRETS, atHand)) console.log(`  ? it will ask for ${name}`);
    return await checkBuilds(config, state.databaseId, remembered);
  }
  const settings = { ...remembered, clickhouseUrl: remembered.clickhouseUrl ?? (await askClickHouseUrl()) };
  const user = process.env.CLICKHOUSE_ADMIN_USER ?? "default";
  const password = await askAdminPassword(user);
  const values = await askSecrets(state, atHand);
  const steps = planned(wanted, state, values);
  printPlan(steps);
  if (!command.isAgreed) await agree();
  await files.remember(settings);

  const hasArchive = values.get("ARCHIVE_S3_KEY_ID") != null || state.secrets.get("api")?.has("ARCHIVE_S3_KEY_ID");
  const archiveUrl = `https://${account.id}.r2.cloudflarestorage.com/${wanted.buckets[0]}`;
  const urls = () => urlsOf(account, settings, wanted);
  await runPlan(steps, state.databaseId, {
    account,
    files,
    config,
    clickhouse: { url: settings.clickhouseUrl, user, password, database: settings.database ?? DATABASE },
    values,
    vars: varsOf(settings, hasArchive === true ? archiveUrl : undefined),
    wrangler: { token: credentials.token, accountId: account.id, apiUrl: credentials.apiUrl },
    urls,
    withSmokeTest: command.withSmokeTest,
    onOperatorKey: (key) => console.log(`\n  operator's key, shown this once:\n    ${key}\n`),
    onStep: printStep,
  });
  printEnd(await urls(), files.secretsFile);
}

function merged(before: Remembered, command: DeployCommand): Remembered {
  return {
    clickhouseUrl: command.clickhouseUrl ?? before.clickhouseUrl,
    database: command.database ?? before.database,
    ingestUrl: command.ingestUrl ?? before.ingestUrl,
    apiUrl: command.apiUrl ?? before.apiUrl,
  };
}

/** The environment's come before those of an earlier run. */
function secretsAtHand(kept: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv): SecretValues {
  const given = SECRET_VARIABLES.flatMap((name) => (environment[name] ? [[name, environment[name]] as const] : []));
  const values = new Map([...Object.entries(kept), ...given]);
  const faults = faultsOf(values);
  if (faults.length > 0) throw new Missing(faults.join("\n"));
  return values;
}

function varsOf({ clickhouseUrl, database }: Remembered, archiveUrl: string | undefined) {
  const history = {
    ...(clickhouseUrl === undefined ? {} : { CLICKHOUSE_URL: clickhouseUrl }),
    ...(database === undefined ? {} : { CLICKHOUSE_DATABASE: database }),
    ...(archiveUrl === undefined ? {} : { ARCHIVE_S3_URL: archiveUrl }),
  };
  return { ingest: {}, aggregate: history, api: history };
}

function planned(wanted: Wanted, state: AccountState, values: SecretValues): readonly Step[] {
  const plan = planDeployment(wanted, state, SECRETS, values);
  if (plan.ok) return plan.value;
  const sentences = plan.error.map(
    ({ secret, missingIn }) =>
      `${secret} is set in one Worker and missing in ${missingIn.join(", ")}; it has to be the same in both. Give it in the environment (${secret}=…): it stands in .deploy/ where Tally was deployed from first.`,
  );
  throw new Missing(sentences.join("\n"));
}

async function urlsOf(account: Account, { ingestUrl, apiUrl }: Remembered, { scripts }: Wanted) {
  if (ingestUrl !== undefined && apiUrl !== undefined) return { ingestUrl, apiUrl };
  const subdomain = await account.subdomain();
  if (subdomain === undefined) {
    throw new Missing(
      "the account has no subdomain of workers.dev: say where the Workers answer, --ingest-url and --api-url",
    );
  }
  const at = (script: string) => `https://${script}.${subdomain}.workers.dev`;
  return { ingestUrl: ingestUrl ?? at(scripts.ingest), apiUrl: apiUrl ?? at(scripts.api) };
}

function printPlan(steps: readonly Step[]): void {
  for (const step of steps) console.log(`  + ${textOf(step)}`);
}

/** A line when a step begins, ended when it is done, so that a failure stands behind what it is of. */
function printStep(text: string): (outcome?: string) => void {
  const startedMs = Date.now();
  process.stdout.write(`  … ${text}`);
  return (outcome) => {
    const seconds = ((Date.now() - startedMs) / 1_000).toFixed(0);
    process.stdout.write(`: ${outcome ?? "done"}${seconds === "0" ? "" : ` (${seconds} s)`}\n`);
  };
}

/** Leaves the account's configuration behind for other commands, if the account has a database. */
async function checkBuilds(config: Config, databaseId: string | undefined, settings: Remembered): Promise<void> {
  console.log("");
  const vars = varsOf(settings, undefined);
  if (databaseId === undefined) {
    await withPlanConfig(configOf(config, { databaseId: NO_DATABASE_ID, vars }), checkAll);
  } else {
    await checkAll(await writeDeployConfig(configOf(config, { databaseId, vars })));
  }
  console.log("\nNothing has been changed.");
}

async function checkAll(configFile: string): Promise<void> {
  for (const worker of WORKERS) {
    const done = printStep(`build the ${worker} Worker`);
    await checkBuild(configFile, worker);
    done("it builds");
  }
}

function printEnd(urls: { ingestUrl: string; apiUrl: string }, secretsFile: string): void {
  console.log(`
Tally is deployed.

  ingest      ${urls.ingestUrl}
  api         ${urls.apiUrl}  (dashboard; reference: ${urls.apiUrl}/docs)

  Keep ${secretsFile} where you keep secrets: nobody can read them back from Cloudflare.
  Next: a source and its key, merchants and theirs (docs/operations.md).`);
}

try {
  await main();
} catch (error) {
  const isOurs = error instanceof Missing || error instanceof AccountError;
  console.error(`\ndeploy: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof Error && error.cause instanceof Error && !isOurs) console.error(`  (${error.cause.message})`);
  process.exitCode = isOurs ? 2 : 1;
}
