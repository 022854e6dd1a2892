import { createServer } from "node:net";

/** Whether something on this machine answers on the port already. */
export function portTaken(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(true);
      else reject(new Error(`port ${port} cannot be opened: ${error.message}`));
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}

/** A port of 127.0.0.1 that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const address = listener.address();
  await new Promise((done) => listener.close(done));
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}
