import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A request as a test looks at it: the body is decompressed and cut into lines. */
export type SeenRequest = { path: string; headers: IncomingHttpHeaders; bodyBytes: number; lines: string[] };

export type Answer = { status: number; headers?: Record<string, string>; body?: unknown } | "hang_up" | "never";

export type IngestStandIn = {
  url: string;
  requests: SeenRequest[];
  /** Resolves when so many requests have arrived. */
  seen: (count: number) => Promise<void>;
  close: () => Promise<void>;
};

/** A real HTTP server on 127.0.0.1 for tests of those who post events: `answer` decides, given the request and its number from 1. */
export async function ingestStandIn(
  answer: (request: SeenRequest, number: number) => Answer | Promise<Answer>,
): Promise<IngestStandIn> {
  const requests: SeenRequest[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((incoming, outgoing) => {
    const respond = async () => {
      const request = await read(incoming);
      requests.push(request);
      for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
      const answered = await answer(request, requests.length);
      if (answered === "never") return;
      if (answered === "hang_up") return void incoming.socket.destroy();
      const isText = typeof answered.body === "string";
      outgoing.writeHead(answered.status, { "content-type": "application/json", ...answered.headers });
      outgoing.end(isText ? answered.body : JSON.stringify(answered.body ?? {}));
    };
    respond().catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    seen: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The receipt for a request all of whose events are new. */
export function allAccepted({ lines }: SeenRequest): Answer {
  return { status: 200, body: { accepted: lines.length, duplicates: 0, late: 0, rejected: 0, errors: [] } };
}

async function read(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const text = (incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
  const lines = text.split("\n").filter((line) => line !== "");
  return { path: incoming.url ?? "", headers: incoming.headers, bodyBytes: body.length, lines };
}
