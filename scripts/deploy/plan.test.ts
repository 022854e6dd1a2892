import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROJECT_DIR } from "../build.ts";
import { parseDeployCommand } from "./options.ts";
import { type AccountState, EMPTY_ACCOUNT, planDeployment, questionsOf, type SecretValues } from "./plan.ts";
import { textOf } from "./run-plan.ts";
import { SECRETS } from "./secrets.ts";
import { configOf, readConfig, wantedBy } from "./wanted.ts";

const config = await readConfig(join(PROJECT_DIR, "wrangler.toml"));
const wanted = wantedBy(config);
const none: SecretValues = new Map();

/** An account on which all of it stands. */
const complete: AccountState = {
  queues: new Set(wanted.queues),
  buckets: new Set(wanted.buckets),
  databaseId: "an-id",
  secrets: new Map(
    (["ingest", "aggregate", "api"] as const).map((worker) => [
      worker,
      new Set(SECRETS.filter(({ workers }) => workers.includes(worker)).map(({ name }) => name)),
    ]),
  ),
};

function stepsOf(state: AccountState, values = none): readonly string[] {
  const plan = planDeployment(wanted, state, SECRETS, values);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  return plan.value.map(textOf);
}

describe("the plan", () => {
  test("of an empty account makes all that wrangler.toml binds, dead-letter queues before what names them, and the objects' Worker before its callers", () => {
    const steps = stepsOf(EMPTY_ACCOUNT);
    const at = (text: string) => steps.findIndex((step) => step.startsWith(text));
    const order = [
      "create the queue tally-raw-dead",
      "create the queue tally-raw",
      "create the D1 database tally-directory",
      "migrate the D1 database tally-directory",
      "deploy the aggregate Worker, with IDENTITY_KEY (generated)",
      "deploy the ingest Worker, with IDENTITY_KEY (generated), USER_KEY (generated)",
      "deploy the api Worker",
      "try it",
    ].map(at);
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(steps).toContain("create the R2 bucket tally-archive");
  });

  test("of an account that has everything creates nothing and changes no secret", () => {
    expect(stepsOf(complete)).toEqual([
      "migrate the D1 database tally-directory",
      "migrate ClickHouse",
      "deploy the aggregate Worker",
      "deploy the ingest Worker",
      "deploy the api Worker",
      "make an operator's key, if there is none",
      "try it: an event in, its number out",
    ]);
    // What an earlier run has kept of generated ones changes nothing, either.
    expect(stepsOf(complete, new Map([["IDENTITY_KEY", "0".repeat(32)]]))).toEqual(stepsOf(complete));
    expect(questionsOf(complete, SECRETS, none)).toEqual([]);
  });

  test("refuses to make a second key of identity where one Worker has the first, unless it is told the first", () => {
    const halfway = { ...complete, secrets: new Map([["aggregate", new Set(["IDENTITY_KEY"])] as const]) };
    expect(planDeployment(wanted, halfway, SECRETS, none)).toEqual({
      ok: false,
      error: [{ reason: "unknown-secret", secret: "IDENTITY_KEY", missingIn: ["ingest"] }],
    });
    const told = stepsOf(halfway, new Map([["IDENTITY_KEY", "0".repeat(32)]]));
    expect(told).toContain("deploy the ingest Worker, with IDENTITY_KEY (given), USER_KEY (generated)");
  });

  test("leaves ClickHouse's users alone whose passwords are given", () => {
    const values = new Map([
      ["CLICKHOUSE_WRITER_PASSWORD", "w"],
      ["CLICKHOUSE_READER_PASSWORD", "r"],
    ]);
    expect(stepsOf(EMPTY_ACCOUNT).filter((step) => step.includes("a user of ClickHouse"))).toHaveLength(2);
    expect(stepsOf(EMPTY_ACCOUNT, values).filter((step) => step.includes("a user of ClickHouse"))).toEqual([]);
  });

  test("asks for what only a person knows, once", () => {
    const names = (values: SecretValues) => questionsOf(EMPTY_ACCOUNT, SECRETS, values).map(({ name }) => name);
    expect(names(none)).toEqual(["ARCHIVE_S3_KEY_ID", "ARCHIVE_S3_SECRET"]);
    expect(
      names(
        new Map([
          ["ARCHIVE_S3_KEY_ID", "id"],
          ["ARCHIVE_S3_SECRET", null],
        ]),
      ),
    ).toEqual([]);
  });
});

test("an account's configuration has its database and its ClickHouse in every Worker that uses them, and all else as it stands", () => {
  const vars = { ingest: {}, aggregate: { CLICKHOUSE_URL: "https://ch" }, api: { CLICKHOUSE_URL: "https://ch" } };
  const { env, ...rest } = configOf(config, { databaseId: "an-id", vars });
  for (const worker of ["ingest", "aggregate", "api"] as const) {
    expect(env[worker].d1_databases).toMatchObject([{ binding: "DIRECTORY", database_id: "an-id" }]);
    expect(env[worker].vars).toEqual({ ...config.env[worker].vars, ...vars[worker] });
  }
  expect(rest).toMatchObject({ compatibility_date: config.compatibility_date });
});

test("a command line that is wrong is told so in a sentence", () => {
  const wrong = (...args: string[]) => parseDeployCommand(args);
  expect(wrong("--clickhouse-url", "ch.example/db")).toMatchObject({
    wrong: expect.stringContaining("--clickhouse-url"),
  });
  for (const url of ["https://user@tally.example", "https://:secret@tally.example", "http://tally.example"]) {
    const refused = wrong("--clickhouse-url", url);
    expect(refused).toHaveProperty("wrong");
    expect(JSON.stringify(refused)).not.toContain("secret");
  }
  expect(wrong("--clickhouse-url", "http://127.0.0.1:8123")).toHaveProperty("command");
  expect(wrong("--database", "a b")).toHaveProperty("wrong");
  expect(wrong("--nonsense")).toHaveProperty("wrong");
  expect(wrong("--dry-run", "--api-url", "https://tally.example/")).toMatchObject({
    command: { isDryRun: true, apiUrl: "https://tally.example" },
  });
});
