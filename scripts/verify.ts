import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { createClient } from "@clickhouse/client";
import { PROJECT_DIR } from "./build.ts";
import { ADMIN_USER } from "./clickhouse.ts";
import { differences, loadTruth, servedMetrics, storedHistory, truth } from "./ground-truth.ts";
import { openFile } from "./open-file.ts";
import { askingOf, readingOf, withProgress } from "./verify-progress.ts";

const HELP = `Compares a running Tally with plain SQL over the file that was sent to it: per merchant, currency and window, from the API and
from ClickHouse. Nothing else may have been sent, and what came late must be counted (no late_events_pending any more). A year of
merchants takes minutes: the API is asked for every window.

  npm run verify -- FILE.ndjson[.gz] --key OPERATOR_KEY [--api URL] [--clickhouse URL] [--state DIR]

  --key KEY         an operator's key, as npm start prints it
  --api URL         default http://127.0.0.1:8788
  --clickhouse URL  default http://127.0.0.1:8123; the password is read from the state folder (default .tally)
`;

const SHOWN_MAX = 5;
const REQUEST_TIMEOUT_MS = 300_000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: "string" },
      api: { type: "string", default: "http://127.0.0.1:8788" },
      clickhouse: { type: "string", default: "http://127.0.0.1:8123" },
      state: { type: "string", default: join(PROJECT_DIR, ".tally") },
      help: { type: "boolean", default: false },
    },
  });
  const [file] = positionals;
  if (values.help || file === undefined || values.key === undefined) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const { clickhousePassword } = JSON.parse(await readFile(join(values.state, "secrets.json"), "utf8"));
  const sql = createClient({
    url: values.clickhouse,
    username: ADMIN_USER,
    password: clickhousePassword,
    request_timeout: REQUEST_TIMEOUT_MS,
    clickhouse_settings: { send_progress_in_http_headers: 1, http_headers_progress_interval_ms: "10000" },
  });
  const headers = { Authorization: `Bearer ${values.key}` };
  try {
    const opened = await openFile(file);
    const { lines, expected } = await withProgress(async (line) => {
      const lines = await loadTruth(sql, Readable.from(readingOf(opened, line), { objectMode: false }));
      line.update(undefined, "adding up by plain SQL");
      return { lines, expected: await truth(sql) };
    });
    const merchants = [...new Set(expected.map(({ merchant_id }) => merchant_id))];
    const starts = expected.map(({ start }) => start * 1000);
    console.log(`${lines} lines, ${merchants.length} merchants, ${expected.length} merchant-windows by plain SQL`);
    report("ClickHouse", differences(expected, await storedHistory(sql)));
    const served = await withProgress((line) =>
      servedMetrics(
        (path) => fetch(`${values.api}${path}`, { headers }),
        merchants,
        Math.min(...starts),
        Math.max(...starts) + 600_000,
        askingOf(merchants.length, line),
      ),
    );
    report("API", differences(expected, served));
  } finally {
    await sql.close();
  }
}

function report(name: string, wrong: ReturnType<typeof differences>): void {
  console.log(`${name}: ${wrong.length} merchant-windows differ`);
  for (const difference of wrong.slice(0, SHOWN_MAX)) console.log(`  ${JSON.stringify(difference)}`);
  if (wrong.length > 0) process.exitCode = 1;
}

await main();
