import { randomBytes } from "node:crypto";
import { unreachable } from "../../shared/result.ts";
import { mintKey } from "../../workers/directory/key.ts";
import type { WorkerName } from "../build.ts";
import { migrateClickHouse } from "../clickhouse-migrate.ts";
import type { Account } from "./account.ts";
import { type Server, setClickHouseUser } from "./clickhouse-user.ts";
import { type LocalFiles, writeDeployConfig } from "./local-files.ts";
import type { PlannedSecret, SecretValues, Step } from "./plan.ts";
import { SECRETS } from "./secrets.ts";
import { smokeTest } from "./smoke-test.ts";
import { type Config, configOf } from "./wanted.ts";
import { deployWorker, migrateDirectory, type Wrangler } from "./wrangler.ts";

export interface Deployment {
  readonly account: Account;
  readonly files: LocalFiles;
  readonly config: Config;
  readonly clickhouse: Server;
  readonly values: SecretValues;
  readonly vars: Readonly<Record<WorkerName, Readonly<Record<string, string>>>>;
  readonly wrangler: Omit<Wrangler, "configFile">;
  /** Of the two Workers that answer, once they are there. */
  readonly urls: () => Promise<{ readonly ingestUrl: string; readonly apiUrl: string }>;
  readonly withSmokeTest: boolean;
  /** Told the key that was made because there was none, at once: only its hash is kept, and what comes after may fail. */
  readonly onOperatorKey: (key: string) => void;
  /** Begins a line of progress; what it answers ends it. */
  readonly onStep: (text: string) => (outcome?: string) => void;
}

/** Takes the steps in order. Throws at the first that fails; running the whole again goes on from there. */
export async function runPlan(
  steps: readonly Step[],
  databaseId: string | undefined,
  deployment: Deployment,
): Promise<void> {
  const state = {
    databaseId,
    configFile: undefined as string | undefined,
  };
  const passwords = new Map<WorkerName, string>();
  const { account, clickhouse, onStep } = deployment;
  const idOf = () => {
    if (state.databaseId === undefined) throw new Error("the database has no id yet");
    return state.databaseId;
  };
  const wrangler = async (): Promise<Wrangler> => {
    state.configFile ??= await writeDeployConfig(
      configOf(deployment.config, { databaseId: idOf(), vars: deployment.vars }),
    );
    return { ...deployment.wrangler, configFile: state.configFile };
  };
  for (const step of steps) {
    if (step.kind === "smoke-test" && !deployment.withSmokeTest) continue;
    const done = onStep(textOf(step));
    switch (step.kind) {
      case "create-queue":
        await account.createQueue(step.name);
        done();
        break;
      case "create-bucket":
        await account.createBucket(step.name);
        done();
        break;
      case "create-database":
        state.databaseId = await account.createDatabase(step.name);
        done();
        break;
      case "migrate-directory":
        await migrateDirectory(await wrangler(), step.database);
        done();
        break;
      case "migrate-clickhouse": {
        const { applied, alreadyApplied } = await migrateClickHouse(clickhouse);
        done(`${applied.length} applied, ${alreadyApplied.length} before`);
        break;
      }
      case "set-clickhouse-user": {
        const password = newPassword();
        done(await setClickHouseUser(clickhouse, step.worker, password));
        passwords.set(step.worker, password);
        break;
      }
      case "deploy":
        await deployWorker(
          await wrangler(),
          step.worker,
          await secretsOf(step.worker, step.secrets, passwords, deployment),
        );
        done();
        break;
      case "first-operator-key": {
        const key = await firstOperatorKey(account, idOf());
        done(key === undefined ? "there is one" : "made");
        if (key !== undefined) deployment.onOperatorKey(key);
        break;
      }
      case "smoke-test": {
        const query = (sql: string, params: readonly string[]) => account.query(idOf(), sql, params);
        await smokeTest({ ...(await deployment.urls()), query, onStep: (text) => onStep(`  ${text}`)() });
        done();
        break;
      }
      default:
        unreachable(step);
    }
  }
}

/** What a step does, for a person. */
export function textOf(step: Step): string {
  switch (step.kind) {
    case "create-queue":
      return `create the queue ${step.name}`;
    case "create-bucket":
      return `create the R2 bucket ${step.name}`;
    case "create-database":
      return `create the D1 database ${step.name}`;
    case "migrate-directory":
      return `migrate the D1 database ${step.database}`;
    case "migrate-clickhouse":
      return "migrate ClickHouse";
    case "set-clickhouse-user":
      return `give the ${step.worker} Worker a user of ClickHouse`;
    case "deploy": {
      const secrets = step.secrets.map(({ name, from }) => `${name} (${from})`).join(", ");
      return `deploy the ${step.worker} Worker${secrets === "" ? "" : `, with ${secrets}`}`;
    }
    case "first-operator-key":
      return "make an operator's key, if there is none";
    case "smoke-test":
      return "try it: an event in, its number out";
    default:
      return unreachable(step);
  }
}

async function secretsOf(
  worker: WorkerName,
  planned: readonly PlannedSecret[],
  passwords: ReadonlyMap<WorkerName, string>,
  { files, values }: Deployment,
): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const { name, valueName, from } of planned) {
    const value =
      from === "clickhouse" ? passwords.get(worker) : (values.get(valueName) ?? (await generated(name, files)));
    if (value === undefined) throw new Error(`${name} has no value`);
    secrets[name] = value;
  }
  return secrets;
}

/** The same as before, if a Worker before this one has been given it. */
async function generated(name: string, files: LocalFiles): Promise<string> {
  const kept = (await files.secrets())[name];
  if (kept !== undefined) return kept;
  const origin = SECRETS.find((secret) => secret.name === name)?.origin;
  if (origin?.kind !== "generated") throw new Error(`${name} is not made here`);
  const value = randomBytes(origin.hexDigits / 2).toString("hex");
  await files.keepSecret(name, value);
  return value;
}

/** 256 random bits, and one of each kind of character that ClickHouse Cloud asks for. */
function newPassword(): string {
  return `${randomBytes(32).toString("base64url")}aA1!`;
}

async function firstOperatorKey(account: Account, databaseId: string): Promise<string | undefined> {
  const valid = "kind = 'operator' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)";
  const nowMs = String(Date.now());
  const rows = await account.query(databaseId, `SELECT id FROM keys WHERE ${valid} LIMIT 1`, [nowMs]);
  if (rows.length > 0) return undefined;
  const { id, token, secretHash } = await mintKey("operator", randomBytes(40));
  await account.query(
    databaseId,
    "INSERT INTO keys (id, kind, subject, secret_hash, created_at) VALUES (?, 'operator', 'first', ?, ?)",
    [id, secretHash, nowMs],
  );
  return token;
}
