import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { setClickHouseUser } from "./clickhouse-user.ts";

test("the password of a user is in no address that is called, and no log of addresses", async () => {
  const addresses: string[] = [];
  const server = createServer((request, response) => {
    addresses.push(request.url ?? "");
    request.resume().on("end", () => response.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await setClickHouseUser({ url, user: "admin", password: "of-the-admin", database: "tally" }, "api", "of-the-user");
  } finally {
    server.close();
    server.closeAllConnections();
  }
  expect(addresses.length).toBeGreaterThan(3);
  expect(addresses.join("\n")).not.toMatch(/of-the/);
  expect(addresses[0]).toContain(createHash("sha256").update("of-the-user").digest("hex"));
});
