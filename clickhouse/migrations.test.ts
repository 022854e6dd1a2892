import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateClickHouse } from "../scripts/clickhouse-migrate.ts";
import { command, select, startTestServer, type TestServer } from "../scripts/clickhouse-test-server.ts";

const MIGRATIONS = fileURLToPath(new URL(".", import.meta.url));
const DATABASE = "earlier";

let started: TestServer;

beforeAll(async () => {
  started = await startTestServer();
});
afterAll(() => started?.stop());

test("roll-ups of windows that are not kept any more outlive the tables they stood in", async () => {
  const { server, root } = started;
  const dir = join(root, "to-007");
  const isEarlier = (path: string) => !/\/\d{3}_\w+\.sql$/.test(path) || /\/00[1-7]_\w+\.sql$/.test(path);
  await cp(MIGRATIONS, dir, { recursive: true, filter: isEarlier });
  await migrateClickHouse({ ...server, database: DATABASE, dir });
  const rows = (table: string, times: string) =>
    `INSERT INTO ${table} (merchant_id, currency, start, version, revision, payments_count, payments_amount) VALUES ${times}`;
  // Of each the highest version is valid. No window of theirs is there.
  const ofHours =
    "('a', 'JPY', '2024-03-01 09:00:00', 5, 3, 1, 100), ('a', 'JPY', '2024-03-01 09:00:00', 7, 4, 2, 300)";
  await command(server, rows("hours", ofHours), DATABASE);
  await command(server, rows("days", "('a', 'JPY', '2024-03-01 00:00:00', 7, 4, 2, 300)"), DATABASE);

  const { applied } = await migrateClickHouse({ ...server, database: DATABASE });
  expect(applied.length).toBeGreaterThan(0);
  const kept =
    "SELECT tier, toString(start) AS start, toUInt32(version) AS version, toUInt32(payments_count) AS payments, toString(payments_amount) AS amount FROM roll_ups FINAL ORDER BY tier";
  const same = { version: 7, payments: 2, amount: "300" };
  expect(await select(server, kept, DATABASE)).toEqual([
    { tier: "hours", start: "2024-03-01 09:00:00", ...same },
    { tier: "days", start: "2024-03-01 00:00:00", ...same },
  ]);
  const left = `SELECT name FROM system.tables WHERE database = '${DATABASE}' AND name IN ('hours', 'days')`;
  expect(await select(server, left, DATABASE)).toEqual([]);
});
