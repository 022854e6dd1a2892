import { join } from "node:path";
import { type ClickHouse, startClickHouse } from "../scripts/clickhouse.ts";
import { WORKERS_STATE_DIR } from "../scripts/local-system.ts";
import { WORKERD_PID_FILE } from "../scripts/runtime.ts";
import { findWorkerd } from "../scripts/workerd-process.ts";
import { type TestSystem, until } from "./system.ts";

/** Kills the Workers with SIGKILL, and waits until Miniflare has started others, which answer. */
export async function killWorkers(tally: TestSystem): Promise<void> {
  const pidFile = join(tally.stateDir, WORKERS_STATE_DIR, WORKERD_PID_FILE);
  const killed = await until("workerd", () => findWorkerd(pidFile));
  process.kill(killed, "SIGKILL");
  await until("workerd to be back", async () => {
    const found = await findWorkerd(pidFile);
    if (found === undefined || found === killed) return undefined;
    // Miniflare's earlier handles ended with the workerd they were made for.
    const isThere = await tally.read("/v1/admin/audit").then(
      ({ ok }) => ok,
      () => false,
    );
    return isThere ? true : undefined;
  });
}

/** Kills ClickHouse with SIGKILL; `startAgain` brings it back. */
export async function killClickHouse(server: ClickHouse): Promise<void> {
  server.kill();
  await server.exited;
}

/** ClickHouse on the same folder and port, for the Workers that know it by those. To be stopped by the caller. */
export async function startAgain(tally: TestSystem): Promise<ClickHouse> {
  const { clickhousePassword: password } = tally.secrets;
  return await startClickHouse({
    dataDir: join(tally.stateDir, "clickhouse"),
    port: Number(new URL(tally.clickhouse.url).port),
    password,
    readerPassword: password,
    writerPassword: password,
  });
}

/** Asked for one after the other: what a test waits for may be there for a few milliseconds. */
const ASKS_AT_ONCE = 100;

/** Resolves while ClickHouse works on a query with `part` in it; `isOver` says that none will come any more. */
export async function untilWorkingOn(
  { sql }: TestSystem,
  part: string,
  isOver: () => boolean = () => false,
): Promise<void> {
  const query =
    "SELECT count() AS n FROM system.processes WHERE position(query, {part:String}) > 0 AND query_id != queryID()";
  await until(`ClickHouse to work on ${part}`, async () => {
    for (let ask = 0; ask < ASKS_AT_ONCE; ask += 1) {
      const answer = await sql.query({ query, query_params: { part }, format: "JSONEachRow" });
      const [row] = await answer.json<{ n: string }>();
      if (Number(row?.n) > 0) return true;
      if (isOver()) throw new Error(`it was over before ClickHouse was seen to work on ${part}`);
    }
    return undefined;
  });
}
