import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { QueueOrder } from "./queue-process.ts";

const QUEUE_PROCESS = join(import.meta.dirname, "queue-process.ts");

export interface SeparateQueues {
  readonly url: string;
  readonly pid: number;
  /** Begins to deliver to the Worker at this address. */
  deliverTo(consumerUrl: string): void;
  stop(): Promise<void>;
}

/**
 * The durable stand-in for queues in a process of its own: queues are no part of the Workers' thread on the platform, and of the sender's neither.
 * Miniflare's would be: it has a timer for each message that is held back, and they fire one by one whenever the thread has nothing else to do.
 */
export async function startSeparateQueues(path: string): Promise<SeparateQueues> {
  const child = fork(QUEUE_PROCESS, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const tell = (order: QueueOrder) => void child.send(order);
  const exited = once(child, "exit");
  tell({ path });
  const [url] = await Promise.race([once(child, "message"), exited.then(() => [undefined])]);
  if (typeof url !== "string" || child.pid === undefined) throw new Error("the queues could not be started");
  return {
    url,
    pid: child.pid,
    deliverTo: (consumerUrl) => tell({ consumerUrl }),
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
