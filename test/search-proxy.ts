import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A search of the archive, as ClickHouse is asked for it. */
export interface Search {
  /** Of the rows it answers at the most, if it says. */
  readonly limit: number | undefined;
  /** Whether nobody waits for its answer any more. */
  readonly isTakenBack: () => boolean;
}

/** Stands between the Workers and ClickHouse, of which it can make searches of the archive too slow, and nothing else; and knows what was asked. */
export interface SearchProxy {
  readonly url: string;
  /** ClickHouse's address; nothing passes before it is there. */
  target: string | undefined;
  /** ClickHouse says that a search has taken too long once this has resolved; `undefined` lets it pass. */
  tooSlow: (search: Search) => Promise<unknown> | undefined;
  /** Called with each statement, and its parameters, before it is passed on. */
  onStatement: (statement: string) => void;
  stop(): Promise<void>;
}

/** Each of the bucket's objects is read by this, and nothing else is. */
const READS_ARCHIVE = "s3({";
const LIMIT = /name="param_limit"\r\n\r\n(\d+)\r\n/;
const TIMEOUT_EXCEEDED =
  "Code: 159. DB::Exception: Timeout exceeded: elapsed 8000 ms, maximum: 8000 ms. (TIMEOUT_EXCEEDED) (version 26.7.1)";

export async function startSearchProxy(): Promise<SearchProxy> {
  const pass = async (asked: IncomingMessage, response: ServerResponse) => {
    if (proxy.target === undefined) throw new Error("ClickHouse is not there yet");
    const body = await buffer(asked);
    const statement = body.toString("latin1");
    proxy.onStatement(statement);
    const limit = LIMIT.exec(statement)?.[1];
    const isSearch = statement.includes(READS_ARCHIVE);
    const search = { limit: limit === undefined ? undefined : Number(limit), isTakenBack: () => response.closed };
    const end = isSearch ? proxy.tooSlow(search) : undefined;
    if (end !== undefined) {
      await end;
      response.writeHead(500, { "X-ClickHouse-Exception-Code": "159" }).end(TIMEOUT_EXCEEDED);
      return;
    }
    const { hostname, port } = new URL(proxy.target);
    const { method = "", url: path, headers } = asked;
    const onward = request({ hostname, port, path, method, headers });
    onward.end(body);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  };
  const server = createServer((asked, response) => void pass(asked, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: SearchProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: undefined,
    tooSlow: () => undefined,
    onStatement: () => {},
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return proxy;
}
