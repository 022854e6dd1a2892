import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { parseAnswer, sendRaw } from "./raw-request.ts";

test("an event stream is left after its first event, also when a 100 comes before it", async () => {
  const server = createServer((socket) => {
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    socket.once("data", () => {
      const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
      setImmediate(() => socket.write(`${head}c\r\ndata: first\n\r\n`));
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = { method: "GET", target: "/live", headers: [], body: undefined, delivery: "whole" } as const;
  const answer = await sendRaw(url, request, 20_000);
  expect(answer).toMatchObject({ status: 200, text: "data: first\n" });
  server.close();
});

test("an answer that ends early says of which request it was", () => {
  const text = "HTTP/1.1 200 OK\r\nX-Request-Id: r-1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
  expect(() => parseAnswer(Buffer.from(text), false)).toThrow(expect.objectContaining({ requestId: "r-1" }));
});
