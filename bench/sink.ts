import { createServer } from "node:http";

/** Stands in for ClickHouse: takes whatever is sent and says it is stored, so that nothing waits for it and nothing is tried again. */
export interface Sink {
  readonly url: string;
  /** Bytes of the bodies taken so far. */
  readonly bytes: number;
  stop(): Promise<void>;
}

const KEEP_ALIVE_MS = 600_000;

export async function startSink(): Promise<Sink> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
    });
    request.on("end", () => response.writeHead(200, { "Content-Type": "text/plain" }).end());
  });
  // A connection closed by this end just as a request is on its way would be a failed insert.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sink has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get bytes() {
      return bytes;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
