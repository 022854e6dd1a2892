import { err, ok, type Result } from "../../shared/result.ts";
import type { WorkerName } from "../build.ts";
import type { Secret } from "./secrets.ts";
import type { Wanted } from "./wanted.ts";

/** What an account has of what is wanted. */
export interface AccountState {
  readonly queues: ReadonlySet<string>;
  readonly buckets: ReadonlySet<string>;
  /** Of the wanted database, if it is there. */
  readonly databaseId: string | undefined;
  /** The secrets of each Worker that has been deployed. */
  readonly secrets: ReadonlyMap<WorkerName, ReadonlySet<string>>;
}

export const EMPTY_ACCOUNT: AccountState = {
  queues: new Set(),
  buckets: new Set(),
  databaseId: undefined,
  secrets: new Map(),
};

/** Values that are at hand: by secret, from the environment, an earlier run or an answer. `null`: it was asked for, and there is none. */
export type SecretValues = ReadonlyMap<string, string | null>;

export type Step =
  | { readonly kind: "create-queue" | "create-bucket" | "create-database"; readonly name: string }
  | { readonly kind: "migrate-directory"; readonly database: string }
  | { readonly kind: "migrate-clickhouse" }
  /** Makes the user if it is missing, and gives it a new password and its rights. */
  | { readonly kind: "set-clickhouse-user"; readonly worker: "aggregate" | "api" }
  | { readonly kind: "deploy"; readonly worker: WorkerName; readonly secrets: readonly PlannedSecret[] }
  | { readonly kind: "first-operator-key" }
  | { readonly kind: "smoke-test" };

export interface PlannedSecret {
  readonly name: string;
  readonly from: "generated" | "given" | "clickhouse";
  /** What its value is called among those at hand. */
  readonly valueName: string;
}

/** `unknown-secret`: some Workers have it, others do not, and nobody can read it back. */
export interface PlanProblem {
  readonly reason: "unknown-secret";
  readonly secret: string;
  readonly missingIn: readonly WorkerName[];
}

/** In this order: the other two call its objects. */
export const DEPLOY_ORDER: readonly WorkerName[] = ["aggregate", "ingest", "api"];

/** Pure. The steps from what is there to what is wanted; each may be done again. What has to be asked for is in `questionsOf`. */
export function planDeployment(
  wanted: Wanted,
  state: AccountState,
  secrets: readonly Secret[],
  values: SecretValues,
): Result<readonly Step[], readonly PlanProblem[]> {
  const problems = secrets.flatMap((secret) => problemOf(secret, state, values) ?? []);
  if (problems.length > 0) return err(problems);
  const missing = (names: readonly string[], there: ReadonlySet<string>) => names.filter((name) => !there.has(name));
  const deploys = DEPLOY_ORDER.map((worker) => ({
    kind: "deploy" as const,
    worker,
    secrets: secrets.flatMap((secret) => plannedFor(secret, worker, state, values) ?? []),
  }));
  return ok([
    ...missing(wanted.queues, state.queues).map((name) => ({ kind: "create-queue" as const, name })),
    ...missing(wanted.buckets, state.buckets).map((name) => ({ kind: "create-bucket" as const, name })),
    ...(state.databaseId === undefined ? [{ kind: "create-database" as const, name: wanted.database }] : []),
    { kind: "migrate-directory", database: wanted.database },
    { kind: "migrate-clickhouse" },
    ...deploys
      .filter(({ secrets }) => secrets.some(({ from }) => from === "clickhouse"))
      .flatMap(({ worker }) => (worker === "ingest" ? [] : [{ kind: "set-clickhouse-user" as const, worker }])),
    ...deploys,
    { kind: "first-operator-key" },
    { kind: "smoke-test" },
  ]);
}

/** Secrets that only a person knows, which some Worker lacks and nothing at hand has. */
export function questionsOf(state: AccountState, secrets: readonly Secret[], values: SecretValues): readonly Secret[] {
  return secrets.filter(
    (secret) => secret.origin.kind === "asked" && !values.has(secret.name) && lacking(secret, state).length > 0,
  );
}

function lacking({ name, workers }: Secret, { secrets }: AccountState): readonly WorkerName[] {
  return workers.filter((worker) => secrets.get(worker)?.has(name) !== true);
}

/** A generated secret has one value everywhere: with another one in one Worker, repeats would be counted as new. */
function problemOf(secret: Secret, state: AccountState, values: SecretValues): PlanProblem | undefined {
  const missingIn = lacking(secret, state);
  const isUnknown = missingIn.length > 0 && missingIn.length < secret.workers.length && values.get(secret.name) == null;
  return secret.origin.kind === "generated" && isUnknown
    ? { reason: "unknown-secret", secret: secret.name, missingIn }
    : undefined;
}

function plannedFor(
  secret: Secret,
  worker: WorkerName,
  state: AccountState,
  values: SecretValues,
): PlannedSecret | undefined {
  if (!secret.workers.includes(worker)) return undefined;
  const { name, origin } = secret;
  const valueName = origin.kind === "clickhouse" && worker !== "ingest" ? origin.givenAs[worker] : name;
  const isGiven = values.get(valueName) != null;
  const isThere = state.secrets.get(worker)?.has(name) === true;
  switch (origin.kind) {
    case "generated":
      // What is there stays, whatever is at hand: a key that is changed makes strangers of all it has named.
      return isThere ? undefined : { name, valueName, from: isGiven ? "given" : "generated" };
    case "clickhouse":
      if (isGiven) return { name, valueName, from: "given" };
      return isThere ? undefined : { name, valueName, from: "clickhouse" };
    case "asked":
      return isGiven ? { name, valueName, from: "given" } : undefined;
    default:
      return origin satisfies never;
  }
}
