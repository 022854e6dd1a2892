import { readFileSync } from "node:fs";
import { Agent, type ClientRequest, get } from "node:http";
import { cpuTimeUs } from "./cpu.ts";
import type { Target } from "./send.ts";

/** What listeners that have nothing to hear of cost, and how soon all of them hear of something. */
export interface LiveFigures {
  readonly listeners: number;
  /** Of workerd: the api Worker's, the shard's and the sockets of the connections, which no platform has in one process. */
  readonly bytesPerListener: number;
  /** Of the api Worker's isolate alone. */
  readonly isolateBytesPerListener: number;
  /** CPU of workerd while nothing happens, of all listeners. */
  readonly idleCpuMsPerSecond: number;
  /** From a payment's request on until it has reached each listener. */
  readonly heardMs: readonly number[];
}

export interface LiveOptions {
  readonly listeners: number;
  readonly idleMs: number;
  /** The stream of one merchant. */
  readonly stream: Target;
  /** Of workerd. */
  readonly pid: number;
  /** What the api Worker's isolate holds. */
  readonly isolateBytes: () => Promise<number>;
  /** Has a payment of the merchant counted. */
  readonly pay: () => Promise<void>;
  readonly log: (line: string) => void;
}

const OPENED_AT_ONCE = 50;
const WARM_UP = 50;
const HEARD_MS_MAX = 30_000;

/** Opens listeners of one merchant, which one shard has, and leaves them alone for a while. */
export async function measureLive({
  listeners,
  idleMs,
  stream,
  pid,
  isolateBytes,
  pay,
  log,
}: LiveOptions): Promise<LiveFigures> {
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  const open: Listener[] = [];
  const openMore = async (upTo: number) => {
    while (open.length < upTo) {
      const more = Math.min(OPENED_AT_ONCE, upTo - open.length);
      open.push(...(await Promise.all(Array.from({ length: more }, () => listen(stream, agent)))));
    }
  };
  try {
    await openMore(WARM_UP);
    const isolateBefore = await isolateBytes();
    const before = residentBytes(pid);
    await openMore(WARM_UP + listeners);
    const bytes = residentBytes(pid) - before;
    const ofIsolate = (await isolateBytes()) - isolateBefore;
    log(`${open.length} listeners, ${bytes} bytes for ${listeners} of them, ${ofIsolate} of the isolate's`);
    const cpuUs = cpuTimeUs(pid);
    const idleFromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    const idleCpuMs = (cpuTimeUs(pid) - cpuUs) / 1_000;
    const idleS = (performance.now() - idleFromMs) / 1_000;
    const lost = open.filter(({ isOpen }) => !isOpen()).length;
    if (lost > 0) throw new Error(`${lost} listeners were lost while idle`);
    const paidMs = performance.now();
    const heard = Promise.all(open.map((listener) => listener.hears("event: window", paidMs)));
    await pay();
    return {
      listeners: open.length,
      bytesPerListener: bytes / listeners,
      isolateBytesPerListener: ofIsolate / listeners,
      idleCpuMsPerSecond: idleCpuMs / idleS,
      heardMs: await heard,
    };
  } finally {
    for (const { close } of open) close();
    agent.destroy();
  }
}

interface Listener {
  readonly isOpen: () => boolean;
  /** Resolves with how long after `sinceMs` such a line came. */
  readonly hears: (line: string, sinceMs: number) => Promise<number>;
  readonly close: () => void;
}

/** Resolves with the snapshot. */
async function listen({ url, headers }: Target, agent: Agent): Promise<Listener> {
  let isOpen = true;
  let awaited = { line: "event: snapshot", heard: () => {} };
  let request: ClientRequest | undefined;
  const next = (line: string) =>
    new Promise<void>((heard, fail) => {
      const timer = setTimeout(() => fail(new Error(`nobody says ${line}`)), HEARD_MS_MAX);
      awaited = {
        line,
        heard: () => {
          clearTimeout(timer);
          heard();
        },
      };
    });
  const snapshot = next("event: snapshot");
  await new Promise<void>((begun, fail) => {
    request = get(url, { headers, agent }, (response) => {
      if (response.statusCode !== 200) return fail(new Error(`a listener is answered ${response.statusCode}`));
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (text.includes(awaited.line)) awaited.heard();
      });
      response.on("close", () => {
        isOpen = false;
      });
      begun();
    });
    request.on("error", (error) => {
      isOpen = false;
      fail(error);
    });
  });
  await snapshot;
  return {
    isOpen: () => isOpen,
    hears: async (line, sinceMs) => {
      await next(line);
      return performance.now() - sinceMs;
    },
    close: () => void request?.destroy(),
  };
}

/** Memory of a process that is in RAM, in bytes. Source: proc(5), `VmRSS`. */
function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (found === null) throw new Error(`/proc/${pid}/status does not say VmRSS`);
  return Number(found[1]) * 1024;
}
