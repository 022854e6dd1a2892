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
