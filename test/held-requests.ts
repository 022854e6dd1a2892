import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { ClickHouseClient } from "@clickhouse/client";
import { until } from "./system.ts";

/**
 * Requests of ClickHouse's that wait for as long as a test wants: what is to be met, or killed, in the middle of what it does lasts until it is,
 * on the fastest machine and on the slowest. At first none is held.
 */
export interface HeldRequests {
  readonly url: string;
  /** From now on requests wait. */
  hold(): void;
  /** Resolves while one waits. */
  held(): Promise<void>;
  /** Lets those go on that wait now. */
  goOn(): void;
  /** Lets all go on, those to come as well. */
  letGo(): void;
  stop(): Promise<void>;
}

type Answer = (asked: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>;

async function holdRequests(isHeld: (asked: IncomingMessage) => boolean, answer: Answer): Promise<HeldRequests> {
  let isHolding = false;
  const held: (() => void)[] = [];
  const goOn = () => {
    for (const go of held.splice(0)) go();
  };
  const serve = async (asked: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(asked);
    if (isHolding && isHeld(asked)) await new Promise<void>((go) => held.push(go));
    // Whoever was killed meanwhile has asked for nothing.
    if (asked.socket.destroyed) return;
    // A connection that is kept may be closed by the one just when the other uses it.
    response.setHeader("Connection", "close");
    await answer(asked, body, response);
  };
  const server = createServer((asked, response) => void serve(asked, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHolding = true;
    },
    held: async () => {
      await until("ClickHouse to be in the middle of it", async () => (held.length > 0 ? true : undefined));
    },
    goOn,
    letGo: () => {
      isHolding = false;
      goOn();
    },
    stop: async () => {
      held.length = 0;
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Inserts into a table of ClickHouse: none ends while it is held. As long as ClickHouse runs on with the view that this makes, it is not to be stopped. */
export async function holdInserts(sql: ClickHouseClient, table: string): Promise<HeldRequests> {
  const requests = await holdRequests(
    () => true,
    async (_asked, _body, response) => void response.end(),
  );
  await sql.command({
    query: `CREATE MATERIALIZED VIEW held_inserts (one UInt8) ENGINE = URL('${requests.url}/', 'TSV') AS SELECT toUInt8(1) AS one FROM ${table}`,
  });
  return requests;
}

/** Of the archive bucket on Miniflare's port (scripts/runtime.ts). */
const ARCHIVE_PATH = "/cdn-cgi/local/r2/s3/tally-archive";

/**
 * What ClickHouse writes of Parquet: it is in the archive when the test has let it go on. `url` is for `ARCHIVE_S3_URL` of the Workers, `target` says
 * where the archive is in truth once they run.
 */
export async function holdParquet(target: () => string): Promise<HeldRequests> {
  const pass: Answer = async ({ method = "", url: path, headers }, body, response) => {
    const { hostname, port } = new URL(target());
    const onward = request({ hostname, port, path, method, headers });
    onward.end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const { connection: _, ...kept } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, kept);
    answer.pipe(response);
  };
  const isParquet = ({ method, url }: IncomingMessage) => method === "PUT" && url?.includes(".parquet") === true;
  const requests = await holdRequests(isParquet, pass);
  return { ...requests, url: requests.url + ARCHIVE_PATH };
}
