import { z } from "zod";

const targetsSchema = z.array(z.object({ title: z.string(), webSocketDebuggerUrl: z.string() }));
const usageSchema = z.object({ usedSize: z.number(), backingStorageSize: z.number().default(0) });

/**
 * Bytes that an isolate's heap holds after garbage was collected, with those of its buffers: what counts against the 128 MB that a Worker may have
 * (Cloudflare Workers, "Limits"). Asked of Miniflare's inspector, by the Worker's name.
 */
export async function isolateHeapBytes(inspectorPort: number, worker: string): Promise<number> {
  const listed = await fetch(`http://127.0.0.1:${inspectorPort}/json`);
  const target = targetsSchema.parse(await listed.json()).find(({ title }) => title.includes(worker));
  if (target === undefined) throw new Error(`the inspector knows no ${worker}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((opened, failed) => {
    socket.addEventListener("open", opened, { once: true });
    socket.addEventListener("error", failed, { once: true });
  });
  try {
    // Twice: what finalizers let go of is collected by the second.
    for (const _ of [1, 2]) await call(socket, "HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = usageSchema.parse(await call(socket, "Runtime.getHeapUsage"));
    return usedSize + backingStorageSize;
  } finally {
    socket.close();
  }
}

let lastId = 0;

function call(socket: WebSocket, method: string): Promise<unknown> {
  const id = ++lastId;
  return new Promise((answered, failed) => {
    const take = ({ data }: MessageEvent) => {
      const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
      if (message.id !== id) return;
      socket.removeEventListener("message", take);
      if (message.error === undefined) answered(message.result);
      else failed(new Error(`${method}: ${message.error.message}`));
    };
    socket.addEventListener("message", take);
    socket.send(JSON.stringify({ id, method }));
  });
}
