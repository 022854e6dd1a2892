import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, portTaken } from "./port.ts";

/** Where Linux begins with what it gives to whoever asks for any. */
const ANY_MIN = 32_768;

test("a port that is free is one that nobody is given by chance, and none that is listened on", async () => {
  const port = await freePort();
  expect(port).toBeLessThan(ANY_MIN);
  const server = createServer();
  // Whether it is this server that listens on it, or another.
  await new Promise((opened) =>
    server
      .once("listening", opened)
      .once("error", opened)
      .listen(port + 1, "127.0.0.1"),
  );
  expect(await portTaken(port + 1)).toBe(true);
  const next = await freePort();
  expect(next).toBeLessThan(ANY_MIN);
  expect([port, port + 1]).not.toContain(next);
  server.close();
});
