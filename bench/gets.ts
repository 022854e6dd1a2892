import { Agent, get } from "node:http";
import type { Target } from "./send.ts";

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  /** Of a text. */
  readonly lines: number;
}

const LINE_FEED = 10;
const agent = new Agent({ keepAlive: true });

/** Asks so many times over connections that are kept open; answers how many a second were answered. Throws when one is not what `isRight` wants. */
export async function getsPerSecond(
  target: Target,
  { count, connections, isRight }: { count: number; connections: number; isRight: (got: Got) => boolean },
): Promise<number> {
  let left = count;
  const beganMs = performance.now();
  const asker = async () => {
    while (left-- > 0) {
      const got = await getOnce(target);
      if (!isRight(got)) throw new Error(`${target.url} answers ${got.status} ${JSON.stringify(got.headers)}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, asker));
  return (count * 1_000) / (performance.now() - beganMs);
}

/** Node's own client, as for sending: `fetch` would take the core that it shares with the Worker for itself. */
export function getOnce({ url, headers }: Target): Promise<Got> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      let bytes = 0;
      let lines = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, lines }));
    }).on("error", reject);
  });
}
