import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECT_DIR } from "../scripts/build.ts";
import { select, startTestServer, type TestServer } from "../scripts/clickhouse-test-server.ts";
import { Account } from "../scripts/deploy/account.ts";
import { setClickHouseUser } from "../scripts/deploy/clickhouse-user.ts";
import { planDeployment } from "../scripts/deploy/plan.ts";
import { SECRETS } from "../scripts/deploy/secrets.ts";
import { readConfig, wantedBy } from "../scripts/deploy/wanted.ts";
import { type FakeCloudflare, startFakeCloudflare } from "./fake-cloudflare.ts";

/** Not the one that a deployment from this checkout has left. */
const DEPLOY_CONFIG = "wrangler.deploy-test.json";
const configFile = join(PROJECT_DIR, DEPLOY_CONFIG);

let cloudflare: FakeCloudflare;
let clickhouse: TestServer;
let dir: string;

beforeAll(async () => {
  cloudflare = await startFakeCloudflare();
  clickhouse = await startTestServer();
  dir = await mkdtemp(join(tmpdir(), "tally-deploy-"));
});
afterAll(async () => {
  await cloudflare?.stop();
  await clickhouse?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
  await rm(configFile, { force: true });
});

/** The command as somebody runs it who has no terminal. */
function deploy(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { server } = clickhouse;
  const env = {
    ...process.env,
    CLOUDFLARE_API_TOKEN: cloudflare.token,
    CLOUDFLARE_API_BASE_URL: cloudflare.url,
    CLICKHOUSE_ADMIN_USER: server.user,
    CLICKHOUSE_ADMIN_PASSWORD: server.password,
    CLICKHOUSE_WRITER_PASSWORD: server.writer.password,
    CLICKHOUSE_READER_PASSWORD: server.reader.password,
    TALLY_DEPLOY_DIR: dir,
    TALLY_DEPLOY_CONFIG: DEPLOY_CONFIG,
    ...environment,
  };
  return new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    execFile(process.execPath, ["scripts/deploy.ts", ...args], { cwd: PROJECT_DIR, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

describe("a deployment", () => {
  test("changes nothing before it is agreed to, and says what it lacks", async () => {
    expect(await deploy(["--clickhouse-url", clickhouse.server.url])).toMatchObject({
      code: 2,
      output: expect.stringContaining("--yes"),
    });
    expect(await deploy(["--yes"])).toMatchObject({ code: 2, output: expect.stringContaining("--clickhouse-url") });
    expect(await deploy(["--yes"], { CLOUDFLARE_API_TOKEN: "stolen" })).toMatchObject({
      code: 2,
      output: expect.stringContaining("does not take the token"),
    });
    expect(await deploy(["--dry-run"], { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9" })).toMatchObject({
      code: 2,
      output: expect.stringContaining("cannot be reached"),
    });
    // A Worker would refuse all requests with it, and no later deployment would replace it.
    const given = { IDENTITY_KEY: "5ec2e7".repeat(3), SESSION_KEY: "5e".repeat(32) };
    for (const environment of [given, { ...given, CLOUDFLARE_API_TOKEN: "" }]) {
      const { code, output } = await deploy(["--dry-run"], environment);
      expect(code).toBe(2);
      expect(output).toContain("IDENTITY_KEY is 32 hexadecimal digits");
      expect(output).not.toContain("SESSION_KEY");
      expect(output).not.toContain(given.IDENTITY_KEY);
    }
    expect(cloudflare.changes).toEqual([]);
  });

  test("makes of an empty account one that lacks nothing, by wrangler itself", async () => {
    const args = ["--yes", "--no-smoke-test", "--clickhouse-url", clickhouse.server.url];
    const { code, output } = await deploy(args);
    expect(output).toMatch(/operator's key, shown this once:\s+tally_opr_[0-9a-f]{16}_/);
    expect(code).toBe(0);

    const config = await readConfig(join(PROJECT_DIR, "wrangler.toml"));
    const wanted = wantedBy(config);
    const account = await Account.open({ token: cloudflare.token, accountId: undefined, apiUrl: cloudflare.url });
    const plan = planDeployment(wanted, await account.read(wanted), SECRETS, new Map());
    expect(plan.ok && plan.value.map(({ kind }) => kind)).toEqual([
      "migrate-directory",
      "migrate-clickhouse",
      "deploy",
      "deploy",
      "deploy",
      "first-operator-key",
      "smoke-test",
    ]);
    expect(cloudflare.changes.filter((change) => change.startsWith("upload"))).toEqual([
      "upload tally-aggregate",
      "upload tally-ingest",
      "upload tally-api",
    ]);
    const [aggregate, ingest, api] = ["tally-aggregate", "tally-ingest", "tally-api"].map((name) =>
      cloudflare.scripts.get(name),
    );
    // With two keys the same event would be two.
    expect(ingest?.secrets.get("IDENTITY_KEY")).toMatch(/^[0-9a-f]{32}$/);
    expect(aggregate?.secrets.get("IDENTITY_KEY")).toBe(ingest?.secrets.get("IDENTITY_KEY"));
    const [[databaseId] = []] = [...cloudflare.databases];
    const bindings = api?.metadata.bindings ?? [];
    expect(bindings).toContainEqual(expect.objectContaining({ name: "DIRECTORY", id: databaseId }));
    expect(bindings).toContainEqual(expect.objectContaining({ name: "CLICKHOUSE_URL", text: clickhouse.server.url }));
    expect(cloudflare.unknown).toEqual([]);

    const kept = join(dir, cloudflare.accountId, "secrets.json");
    expect(JSON.parse(await readFile(kept, "utf8"))).toMatchObject({
      IDENTITY_KEY: ingest?.secrets.get("IDENTITY_KEY"),
    });
    expect((await stat(kept)).mode & 0o077).toBe(0);
    for (const secret of [...(ingest?.secrets.values() ?? []), clickhouse.server.password])
      expect(output).not.toContain(secret);
    const tables = await select(clickhouse.server, "SELECT count() AS n FROM schema_migrations");
    expect(tables).not.toEqual([{ n: "0" }]);
  });

  test("is planned without an account, and leaves what is known of one as it is", async () => {
    const known = await readFile(configFile, "utf8");
    expect(known).toContain([...cloudflare.databases][0]?.[0]);
    const { code, output } = await deploy(["--dry-run"], { CLOUDFLARE_API_TOKEN: "" });
    expect(output).toMatch(/for an account that has nothing of Tally yet.*Nothing has been changed/s);
    expect(code).toBe(0);
    expect(await readFile(configFile, "utf8")).toBe(known);
  });
});

test("a ClickHouse whose users stand in a file says what to do instead of making them", async () => {
  const { url, user, password } = clickhouse.server;
  const server = { url, user, password, database: "tally" };
  // As far as here the statement is understood: what is refused is the place where it would be kept.
  await expect(setClickHouseUser(server, "api", "secret")).rejects.toThrow(
    /by hand.*CLICKHOUSE_READER_PASSWORD.*readonly/s,
  );
});
