import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Connection } from "./connection.ts";

const got: string[] = [];
const ports = new Set<number | undefined>();
/** Answers as the path says, and notes what it was sent. */
const server = createServer(async (request, response) => {
  got.push((await buffer(request)).toString());
  ports.add(request.socket.remotePort);
  if (request.url === "/cut") request.socket.destroy();
  else if (request.url === "/refused") response.writeHead(503, { "Retry-After": "1" }).end("full");
  else {
    // No length is known when the head goes out: it comes in chunks.
    response.write("a");
    setImmediate(() => response.end("b"));
  }
});
let connection: Connection;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  connection = new Connection(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 5_000);
});
afterAll(() => {
  connection.close();
  server.close();
});

const post = (path: string, body: string) =>
  connection.exchange(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`, Buffer.from(body));

test("a connection is used for one request after the other, whatever form their answers have, and opened again when it was cut", async () => {
  const large = "x".repeat(3_000_000);
  expect(await post("/refused", "1")).toMatchObject({ status: 503, hasRetryAfter: true });
  expect(await post("/", large)).toMatchObject({ status: 200, hasRetryAfter: false });
  expect(await post("/refused", "2")).toMatchObject({ status: 503, hasRetryAfter: true });
  expect(ports.size).toBe(1);
  expect(await post("/cut", "3")).toBeUndefined();
  expect(await post("/", "4")).toMatchObject({ status: 200 });
  expect(ports.size).toBe(2);
  expect(got).toEqual(["1", large, "2", "3", "4"]);
});

test("who cannot be reached has not answered", async () => {
  const nobody = new Connection(new URL("http://127.0.0.1:1"), 5_000);
  expect(await nobody.exchange("GET / HTTP/1.1\r\n\r\n", Buffer.alloc(0))).toBeUndefined();
});
