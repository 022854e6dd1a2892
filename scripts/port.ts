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

/** Below those that systems give to whoever asks for any, and to connections: Linux from 32,768 on (ip-sysctl, `ip_local_port_range`), others from 49,152 on. */
const PORT_MIN = 20_000;
const PORTS = 32_768 - PORT_MIN;
/** Between the first ports of two processes that are started one after the other. */
const PORTS_APART = 61;
let tried = (process.pid * PORTS_APART) % PORTS;

/**
 * A port of 127.0.0.1 that nothing listened on a moment ago, and that nobody is given by chance before it is opened, or while what opened it starts again.
 * Two processes that look at the same time look elsewhere.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = PORT_MIN + tried;
    tried = (tried + 1) % PORTS;
    if (!(await portTaken(port))) return port;
  }
  throw new Error("every port is taken");
}
