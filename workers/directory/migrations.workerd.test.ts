import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { resumeKey } from "./authenticate.ts";
import { MIGRATIONS, migrate } from "./test-directory.ts";
import { readTopology } from "./topology.ts";

const { DIRECTORY } = env as unknown as { readonly DIRECTORY: D1Database };
const shardsOf = async () => (await readTopology(DIRECTORY)).epochs.map(({ shards }) => shards);

/** The directory as it was after its first migrations. */
async function startAfter(count: number): Promise<void> {
  const { results } = await DIRECTORY.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all<{
    name: string;
  }>();
  for (const { name } of results) if (!/^(sqlite|_cf)_/.test(name)) await DIRECTORY.exec(`DROP TABLE "${name}"`);
  for (const migration of MIGRATIONS.slice(0, count)) await migrate(DIRECTORY, migration);
}

test("a new deployment starts with two shards", async () => {
  await startAfter(MIGRATIONS.length);
  expect(await shardsOf()).toEqual([2]);
});

test("a merchant's key from before there were roles manages as ever, and one that comes without a role reads", async () => {
  await startAfter(12);
  const add = (id: string, kind: string) =>
    DIRECTORY.exec(
      `INSERT INTO keys (id, kind, subject, secret_hash, created_at) VALUES ('${id}', '${kind}', 'shop', 'hash', 0)`,
    );
  await add("before", "merchant");
  await add("ops", "operator");
  for (const migration of MIGRATIONS.slice(12)) await migrate(DIRECTORY, migration);
  await add("after", "merchant");
  const roles = await Promise.all(
    ["before", "ops", "after"].map(async (id) => (await resumeKey(DIRECTORY, id, id, 1))?.principal),
  );
  expect(roles).toEqual([
    { kind: "merchant", merchantId: "shop", role: "manage" },
    { kind: "operator", name: "shop" },
    { kind: "merchant", merchantId: "shop", role: "read" },
  ]);
});

test.each([
  [64, 1],
  [8, 2],
])(
  "a deployment that has keys keeps the %i shards it may have counted with: its events go where they went",
  async (shards, migrations) => {
    await startAfter(migrations);
    expect(await shardsOf()).toEqual([shards]);
    // As it was written then: the table has more columns now.
    await DIRECTORY.exec(
      "INSERT INTO keys (id, kind, subject, secret_hash, created_at) VALUES ('one', 'source', 'pos', 'hash', 0)",
    );
    for (const migration of MIGRATIONS.slice(migrations)) await migrate(DIRECTORY, migration);
    expect(await shardsOf()).toEqual([shards]);
  },
);
