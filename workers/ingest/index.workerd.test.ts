import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeRawMessage } from "../../shared/messages/raw.ts";
import { decodeShardBatch, STATUS } from "../../shared/messages/shard-batch.ts";
import { addKey, addSource, openDirectory } from "../directory/test-directory.ts";
import { gunzip } from "../gzip.ts";
import { ingest as app } from "../openapi/held-apps.ts";
import { ARRIVING_BYTES_MAX } from "./arriving.ts";
import { CROWD_PASSES_MS } from "./crowd-pace.ts";
import type { Env } from "./env.ts";

/** The routes with the real directory, a log and shards that note what they are given, in order. */
let directory: D1Database;
let authorization: string;
let limited: string;
let merchantKey: string;

beforeAll(async () => {
  directory = await openDirectory();
  await addSource(directory, "pos", null);
  await addSource(directory, "kiosk", ["shop-1"]);
  authorization = (await addKey(directory, "source", "pos")).authorization;
  limited = (await addKey(directory, "source", "kiosk")).authorization;
  merchantKey = (await addKey(directory, "merchant", "shop-1")).authorization;
});

let happened: string[];
let logged: { readonly body: Uint8Array; readonly delaySeconds: number | undefined }[];
let isLogAway: boolean;
/** What the log waits for before it takes anything. */
let logHeldUp: Promise<void>;
let onHeldUp = () => {};
let answer: (size: number) => Uint8Array;
const lines: string[] = [];

beforeEach(() => {
  happened = [];
  logged = [];
  isLogAway = false;
  logHeldUp = Promise.resolve();
  answer = (size) => new Uint8Array(size).fill(STATUS.accepted);
  for (const level of ["info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line) => lines.push(String(line)));
  }
});

const RAW = {
  async send(body: Uint8Array, options?: { delaySeconds?: number }) {
    await RAW.sendBatch([{ body }], options);
  },
  async sendBatch(messages: { body: Uint8Array }[], options?: { delaySeconds?: number }) {
    onHeldUp();
    await logHeldUp;
    if (isLogAway) throw new Error("queue is away");
    happened.push("logged");
    for (const { body } of messages) logged.push({ body, delaySeconds: options?.delaySeconds });
  },
};
const SHARD = {
  idFromName: (name: string) => name,
  get: () => ({
    async apply(bytes: Uint8Array) {
      happened.push("applied");
      const batch = decodeShardBatch(bytes);
      if (!batch.ok) throw new Error(batch.error.reason);
      return answer(batch.value.size);
    },
  }),
};
const envOf = () =>
  ({
    DIRECTORY: directory,
    RAW,
    SHARD,
    HISTORY_AGE_MAX_DAYS: "1830",
    IDENTITY_KEY: "000102030405060708090a0b0c0d0e0f",
    USER_KEY: "f00102030405060708090a0b0c0d0e0f",
  }) as unknown as Env;

const send = (body: unknown, headers: Record<string, string> = {}) =>
  app.request(
    "/v1/events",
    {
      method: "POST",
      body: JSON.stringify(body),
      headers: { Authorization: authorization, "Content-Type": "application/json", ...headers },
    },
    envOf(),
  );
const sendStream = async (body: ReadableStream<Uint8Array>, length: number) =>
  await app.request(
    "/v1/events",
    {
      method: "POST",
      body,
      headers: { Authorization: authorization, "Content-Type": "application/json", "Content-Length": String(length) },
    },
    envOf(),
  );
const event = (more: object = {}) => ({
  event_id: crypto.randomUUID(),
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: Date.now(),
  amount: 1_200,
  currency: "JPY",
  payment_method: "qr",
  ...more,
});
/** Ids are random, and may hold any four digits. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const loggedText = () =>
  logged
    .map(({ body }) => {
      const message = decodeRawMessage(body);
      if (!message.ok) throw new Error(message.error.reason);
      return message.value.members.map(({ gzip }) => new TextDecoder().decode(gunzip(gzip, 1_000_000))).join("");
    })
    .join("");

describe("events", () => {
  test("are in the log before any shard is asked, and held back there until the direct answer is given", async () => {
    const response = await send([event(), event()]);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ accepted: 2, duplicates: 0, late: 0, rejected: 0, errors: [] });
    expect(happened).toEqual(["logged", "applied"]);
    expect(logged.map(({ delaySeconds }) => delaySeconds)).toEqual([5]);
    expect(loggedText()).toContain(`"batch":"${response.headers.get("X-Request-Id")}"`);
  });

  test("sent with respond-async are queued, without delay and without asking a shard", async () => {
    const response = await send(event(), { Prefer: "wait=10, Respond-Async; x=1" });
    expect(response.status).toBe(202);
    expect(response.headers.get("Preference-Applied")).toBe("respond-async");
    expect(await response.json()).toMatchObject({ accepted: 0, queued: 1 });
    expect([happened, logged[0]?.delaySeconds]).toEqual([["logged"], undefined]);
  });

  test("of a shard that fails are queued: the log has them", async () => {
    answer = () => {
      throw new Error("overloaded");
    };
    const response = await send(event());
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ accepted: 0, queued: 1, rejected: 0 });
  });

  test("that the log does not take are refused, to be sent again, and no shard counts them", async () => {
    isLogAway = true;
    const response = await send(event());
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "log_unavailable", status: 503 });
    expect(happened).toEqual([]);
  });

  test("leave nothing personal anywhere: not in the log, not in the answer, not in what the Worker prints", async () => {
    const user = { id: "Miyazaki-1", email: "Miyazaki@example.com", date_of_birth: "1941-01-05", name: "Miyazaki" };
    const bad = { ...event({ amount: -1 }), user, Miyazaki: 1 };
    const response = await send([event({ user, card: "Miyazaki" }), bad, event({ user: "Miyazaki" })]);
    const everything = [loggedText(), await response.text(), lines.join("")].join("").replaceAll(UUID, "");
    expect(everything).toContain('"age_band":"65+"');
    expect(everything).not.toMatch(/Miyazaki|\b1941\b/);
  });
});

describe("an isolate with much under way", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("calls no shard for the last of it, refuses what is beyond at once with nothing of it in the log, and takes it again afterwards", async () => {
    // Long ago, so that the crowd has passed when the next test begins. Nor does a direct call's time pass while others are begun.
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() - 2 * CROWD_PASSES_MS });
    const { promise, resolve } = Promise.withResolvers<void>();
    logHeldUp = promise;
    const begun: (Promise<Response> | Response)[] = [];
    let refused: Response | undefined;
    while (refused === undefined) {
      const one = send(Array.from({ length: 600 }, () => event()));
      const isHeldUp = new Promise<undefined>((held) => {
        onHeldUp = () => held(undefined);
      });
      refused = await Promise.race([one, isHeldUp]);
      if (refused === undefined) begun.push(one);
    }
    expect(refused.status).toBe(503);
    expect(refused.headers.get("Retry-After")).toBe("1");
    expect(refused.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(refused.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(await refused.json()).toMatchObject({ code: "overloaded", status: 503 });
    expect(logged).toEqual([]);
    resolve();
    const statuses = (await Promise.all(begun)).map(({ status }) => status);
    const direct = statuses.filter((status) => status === 200).length;
    expect(direct).toBeGreaterThan(0);
    expect(statuses).toEqual(statuses.map((_, at) => (at < direct ? 200 : 202)));
    expect(direct).toBeLessThan(begun.length);
    expect(logged).toHaveLength(begun.length);
    expect(happened.filter((what) => what === "applied")).toHaveLength(direct);
    expect((await send(event())).status).toBe(200);
  });

  test("is not filled by bodies that are slow to arrive: others are answered meanwhile, and those once they are there", async () => {
    const uploads = Array.from({ length: 24 }, () => {
      const { readable, writable } = new IdentityTransformStream();
      return { answer: sendStream(readable, 1_000_000), writer: writable.getWriter() };
    });
    for (let sent = 0; sent < 40; sent += 1) expect((await send(event())).status).toBe(200);
    const statuses = uploads.map(async ({ answer, writer }) => {
      await writer.write(new TextEncoder().encode(JSON.stringify(event())));
      await writer.close();
      return (await answer).status;
    });
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
  });
});

describe("bodies that come slowly", () => {
  const upload = () => {
    const { readable, writable } = new IdentityTransformStream();
    return { answer: sendStream(readable, 9_000_000), writer: writable.getWriter() };
  };
  const megabyte = new TextEncoder().encode(" ".repeat(1_000_000));

  test("are given up where they would take more memory than there is, whoever has sent most first; the rest arrives, as do others", async () => {
    const slow = Array.from({ length: (2 * ARRIVING_BYTES_MAX) / 6_000_000 }, upload);
    const statuses: number[] = [];
    const answered = slow.map(({ answer }) => answer.then(({ status }) => statuses.push(status)));
    for (let sent = 0; sent < 6; sent += 1) {
      await Promise.all(slow.map(({ writer }) => writer.write(megabyte.slice()).catch(() => {})));
    }
    await Promise.race(answered);
    expect((await send(event())).status).toBe(200);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(statuses.length).toBeLessThan(slow.length);
    await Promise.all(
      slow.map(async ({ writer }) => {
        await writer.write(new TextEncoder().encode(JSON.stringify(event()))).catch(() => {});
        await writer.close().catch(() => {});
      }),
    );
    const answers = await Promise.all(slow.map(async ({ answer }) => await answer));
    const [given, taken] = [
      answers.filter(({ status }) => status === 503),
      answers.filter(({ status }) => status < 300),
    ];
    expect(given.length + taken.length).toBe(slow.length);
    expect(taken.length).toBeGreaterThan(1);
    expect(given[0]?.headers.get("Retry-After")).toBe("1");
    expect(await given[0]?.json()).toMatchObject({ code: "overloaded" });
  });
});

describe("a request", () => {
  test("of which every event is bad is a problem that says why of each", async () => {
    const response = await send([event({ amount: -1 }), 7]);
    expect(response.status).toBe(422);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      code: "all_rejected",
      rejected: 2,
      errors: [{ path: "amount" }, { index: 1 }],
    });
    expect(happened).toEqual([]);
  });

  test("for other merchants than the source's own is forbidden; one that is in part for them is not", async () => {
    const other = event({ merchant_id: "shop-2" });
    const forbidden = await send([other], { Authorization: limited });
    expect([forbidden.status, await forbidden.json()]).toMatchObject([
      403,
      { code: "merchant_not_allowed", rejected: 1 },
    ]);
    const mixed = await send([other, event()], { Authorization: limited });
    expect([mixed.status, await mixed.json()]).toMatchObject([200, { accepted: 1, rejected: 1 }]);
  });

  test("of no events is a receipt of none", async () => {
    const response = await send([]);
    expect([response.status, await response.json()]).toMatchObject([200, { accepted: 0, rejected: 0, errors: [] }]);
  });

  test("without a key is unauthorized, with a merchant's forbidden, before its body is looked at", async () => {
    const forbidden = await send("{", { Authorization: merchantKey });
    expect([forbidden.status, await forbidden.json()]).toMatchObject([403, { code: "forbidden" }]);
    for (const Authorization of ["", "Bearer x"]) {
      const response = await send("{", { Authorization });
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toContain("Bearer");
      expect(await response.json()).toMatchObject({ type: "urn:tally:problem:unauthorized", code: "unauthorized" });
    }
  });

  test("that fails on our side says so and no more; the id finds the cause in what was printed", async () => {
    lines.length = 0;
    const response = await app.request(
      "/v1/events",
      { method: "POST", headers: { Authorization: authorization } },
      { ...envOf(), USER_KEY: "no key" },
    );
    expect([response.status, await response.json()]).toMatchObject([500, { code: "internal_error" }]);
    expect(lines.join("")).toContain(response.headers.get("X-Request-Id"));
    expect(lines.join("")).toContain("USER_KEY");
  });
});

describe("change events of a database", () => {
  const mapping = (over: object) => ({ tables: { payments: { fields: FIELDS } }, ...over });
  const FIELDS = {
    event_id: "id",
    merchant_id: "shop",
    type: { constant: "payment" as const },
    occurred_at: "at",
    amount: "amount",
    currency: { constant: "JPY" },
    payment_method: { constant: "qr" },
  };
  const row = (over: object = {}) => ({
    id: crypto.randomUUID(),
    shop: "shop-1",
    at: Date.now(),
    amount: 550,
    ...over,
  });
  const change = (op: string, after: object | null, table = "payments") => ({
    before: null,
    after,
    source: { db: "shop", table },
    op,
    ts_ms: Date.now(),
  });
  let refusing: string;
  let skipping: string;

  beforeAll(async () => {
    await addSource(directory, "refusing", ["shop-1"], mapping({}));
    await addSource(directory, "skipping", ["shop-1"], mapping({ rejected: "skip" }));
    refusing = (await addKey(directory, "source", "refusing")).authorization;
    skipping = (await addKey(directory, "source", "skipping")).authorization;
  });
  const post = async (message: unknown, Authorization: string, contentType = "application/json") => {
    const response = await send(message, { Authorization, "Content-Type": contentType });
    return [response.status, await response.json()];
  };

  test("are counted as the mapping of their source says; what is ignored is success, so that a sink goes on", async () => {
    expect(await post(change("c", row()), refusing)).toMatchObject([200, { accepted: 1, errors: [] }]);
    expect(loggedText()).toContain('"payment_method":"qr"');
    const ignored = (code: string) => [200, { accepted: 0, rejected: 0, ignored: 1, notes: [{ index: 0, code }] }];
    expect(await post(change("d", null), refusing)).toMatchObject(ignored("delete"));
    expect(await post(null, refusing)).toMatchObject(ignored("tombstone"));
    expect(await post(change("c", row(), "shops"), refusing)).toMatchObject(ignored("unmapped_table"));
    const cloud = { specversion: "1.0", id: "x", source: "/debezium/mysql/a", type: "io.debezium.connector.mysql.X" };
    const attributes = { ...cloud, iodebeziumop: "r", iodebeziumdb: "shop", iodebeziumtable: "payments" };
    const data = { before: null, after: row() };
    expect(await post({ ...attributes, data }, refusing, "application/cloudevents+json")).toMatchObject([
      200,
      { accepted: 1 },
    ]);
  });

  test("that are no valid payment are refused, or skipped and logged, as the mapping says", async () => {
    const bad = change("c", row({ amount: "many" }));
    expect(await post(bad, refusing)).toMatchObject([422, { rejected: 1, errors: [{ code: "invalid_value" }] }]);
    lines.length = 0;
    expect(await post(bad, skipping)).toMatchObject([200, { rejected: 1, errors: [{ path: "amount" }] }]);
    expect(lines.join("")).toMatch(/changes skipped.*skipping.*invalid_value/);
    const other = change("c", row({ shop: "shop-2" }));
    expect(await post(other, refusing)).toMatchObject([403, { code: "merchant_not_allowed" }]);
    expect(await post(other, skipping)).toMatchObject([200, { rejected: 1 }]);
  });

  test("beside payments of the same source, and to a source without a mapping, are what they are", async () => {
    expect(await post([event(), change("u", row())], refusing)).toMatchObject([200, { accepted: 2 }]);
    expect(await post(change("c", row()), limited)).toMatchObject([422, { errors: [{ code: "no_mapping" }] }]);
  });
});

describe("ids", () => {
  const ask = (query: string) =>
    app.request(`/v1/ids${query}`, { method: "POST", headers: { Authorization: authorization } }, envOf());

  test("are handed out by the ten thousand, each another, each one an event may have", async () => {
    const response = await ask("?count=10000");
    const { ids } = (await response.json()) as { ids: string[] };
    expect(new Set(ids).size).toBe(10_000);
    expect(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id))).toBe(true);
    expect(((await (await ask("")).json()) as { ids: string[] }).ids.length).toBe(1);
  });

  test.each(["0", "10001", "-1", "1.5", "x", ""])("are not handed out %j at a time", async (count) => {
    expect((await ask(`?count=${count}`)).status).toBe(400);
  });
});

test("other methods and paths are told what would be right", async () => {
  const get = await app.request("/v1/events", {}, envOf());
  expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
  expect((await app.request("/v2/events", {}, envOf())).status).toBe(404);
  expect((await app.request("/healthz", {}, envOf())).status).toBe(200);
});
