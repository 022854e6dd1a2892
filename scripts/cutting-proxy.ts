import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** A proxy that counts, and can be slow, or cut answers off, as a network does: half of the body comes, then the connection is closed. */
export interface CuttingProxy {
  /** The target's, through the proxy. */
  readonly url: string;
  /** Whether answers to GET are cut off from now on. */
  cutsOff: boolean;
  /** For how long the first answer to each method is kept back. */
  firstAnswersAfterMs: number;
  /** Requests so far, by method. */
  readonly asked: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port, pathname } = new URL(target);
  const counts: Record<string, number> = {};
  const pass = async (asked: IncomingMessage, response: ServerResponse) => {
    const { method = "", url: path, headers } = asked;
    counts[method] = (counts[method] ?? 0) + 1;
    const isFirst = counts[method] === 1;
    const onward = request({ hostname, port, path, method, headers });
    onward.end(await buffer(asked));
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    const body = await buffer(answer);
    if (isFirst) await sleep(proxy.firstAnswersAfterMs);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (method !== "GET" || !proxy.cutsOff) return response.end(body);
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  };
  const server = createServer((asked, response) => void pass(asked, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    cutsOff: false,
    firstAnswersAfterMs: 0,
    asked: counts,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return proxy;
}
