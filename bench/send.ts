import { Agent, request } from "node:http";
import { sleep } from "../scripts/sleep.ts";

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true });

export interface Sending {
  readonly connections: number;
  /** Resolves when the next body may go out. */
  readonly pace?: () => Promise<void>;
  readonly onAnswer: (answer: Answer) => void;
}

/** Sends every body once, over connections that are kept open. Rejects on the first that gets no answer. */
export async function sendAllBodies(
  target: Target,
  bodies: Iterable<Buffer>,
  { connections, pace, onAnswer }: Sending,
): Promise<void> {
  const rest = bodies[Symbol.iterator]();
  const sender = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      await pace?.();
      onAnswer(await post(target, next.value));
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
}

/** Lets `perSecond` through, evenly; who is late catches up. */
export function paceOf(perSecond: number): () => Promise<void> {
  const startMs = performance.now();
  let passed = 0;
  return async () => {
    const dueMs = startMs + (1_000 * passed++) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
  };
}

/** Node's own client with a pool, since `fetch` costs the sender, which runs on the same cores, several times as much. */
export function post({ url, headers }: Target, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", agent, headers: { ...headers, "Content-Length": body.byteLength } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    // The other end may close a connection that was idle just as it is used again; to send a body twice changes nothing.
    const isStale = (error: NodeJS.ErrnoException) => sent.reusedSocket && error.code === "ECONNRESET";
    sent.on("error", (error) => (isStale(error) ? resolve(post({ url, headers }, body)) : reject(error)));
    sent.end(body);
  });
}
