import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { marksInClickHouse, marksInFiles } from "../scripts/deep-search.ts";
import { createKey, putSource } from "../scripts/directory.ts";
import { buildDurableWorkers } from "../scripts/durable-queues/bundle.ts";
import { type QueueService, startQueueService } from "../scripts/durable-queues/queue-service.ts";
import { readQueues, withSettings } from "../scripts/durable-queues/queue-settings.ts";
import { seededRandom } from "../scripts/seeded-random.ts";
import { PAYMENT_ROW, postgresChange } from "../shared/debezium-messages.ts";
import { hashUser } from "../shared/identity.ts";
import { sipKeyFromHex } from "../shared/siphash.ts";
import { DAY_MS } from "../shared/window.ts";
import { parseKey } from "../workers/directory/key.ts";
import { payment, startTestSystem, type TestSystem, until } from "./system.ts";

/** What may be kept nowhere, and as controls what is kept by contract: whoever looks for the one finds the other. */
const MARK = "Qz7Pii";
const BIRTHDAY = "1941-07-13";
const PERSONAL_MARKS = [MARK, MARK.toLowerCase(), BIRTHDAY] as const;
const KEPT_MARK = "till-Kx81";
const RAW_USER = `${MARK}-user`;

const PERSONAL_USER = {
  ...{ id: RAW_USER, name: `${MARK} Hanako`, email: `${MARK}@example.com`, phone: `+81-${MARK}` },
  ...{ date_of_birth: BIRTHDAY, [`${MARK}_field`]: { deep: [MARK] }, gender: "female" },
};
const personal = (over: object = {}) => ({
  ...payment({ attributes: { till: KEPT_MARK } }),
  user: PERSONAL_USER,
  merchant: { location: "Shibuya", owner: MARK },
  card_number: MARK,
  [MARK]: [MARK],
  ...over,
});

let dir: string;
let queues: QueueService;
let tally: TestSystem;
const logs: string[] = [];
const answers: string[] = [];
/** By what they are. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tally-privacy-"));
  const bundleDir = join(dir, "bundles");
  await buildDurableWorkers(bundleDir);
  await mkdir(join(dir, "queues"));
  queues = await startQueueService({
    path: join(dir, "queues", "queues.sqlite"),
    queues: withSettings(readQueues(), { maxBatchTimeoutMs: 500 }),
    ...{ leaseMs: 20_000, random: seededRandom("privacy"), newId: randomUUID, repeatShare: 0 },
  });
  tally = await startTestSystem(join(dir, "state"), {
    bundleDir,
    queues,
    aggregateVars: { CORRECTION_DELAY_MS: "300", LATE_DELAY_MS: "300", COMPACT_QUIET_MS: "0" },
    onLog: ({ message }) => logs.push(message),
  });
  await tally.runtime.runCron();
});
afterAll(async () => {
  await tally?.stop();
  await queues?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** As `fetch`; what was answered is searched at the end. */
async function call(url: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, init);
  const text = await response.text();
  answers.push(`${[...response.headers].flat().join("\n")}\n${text}`);
  return { status: response.status, text };
}

const post = (body: BodyInit, headers: Record<string, string> = {}, key = tally.sourceKey) =>
  call(`${tally.runtime.ingestUrl}/v1/events`, {
    ...{ method: "POST", body },
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
  });

function noteKey(what: string, token: string): string {
  secrets.set(what, parseKey(token)?.secret ?? token);
  return token;
}

/** Everything that is kept somewhere, but for the file of the installation's secrets. */
async function found(marks: readonly string[]): Promise<string[]> {
  const files = [
    ...(await marksInFiles(join(dir, "queues"), marks)),
    ...(await marksInFiles(join(dir, "state", "workers"), marks)),
    ...(await marksInFiles(join(dir, "state", "clickhouse"), marks)),
  ];
  const said = marks.flatMap((mark) => [
    ...(logs.some((line) => line.includes(mark)) ? [`log: ${mark}`] : []),
    ...(answers.some((text) => text.includes(mark)) ? [`answer: ${mark}`] : []),
  ]);
  return [...files, ...(await marksInClickHouse(tally.sql, marks)), ...said];
}

async function sendPersonalEvents(): Promise<number> {
  const nowMs = Date.now();
  const ndjson = [personal(), personal(), "{nope Qz7Pii"].map((one) =>
    typeof one === "string" ? one : JSON.stringify(one),
  );
  const { event_id: id, occurred_at, type, ...data } = personal();
  const time = new Date(occurred_at as number).toISOString();
  const cloudEvent = { specversion: "1.0", id, source: "/app", type: `app.${type}`, time, data, subject: MARK };
  const binary = {
    "ce-specversion": "1.0",
    "ce-id": randomUUID(),
    "ce-source": "/app",
    "ce-type": "payment",
    "ce-time": time,
  };
  await putSource(
    tally.runtime.directory,
    {
      ...{ id: "rows", name: "Rows", merchants: null },
      mapping: {
        tables: {
          "public.payments": {
            fields: {
              ...{ event_id: "id", merchant_id: "shop", type: { constant: "payment" }, occurred_at: "created_at" },
              ...{ amount: { column: "amount", decimals: "currency" }, currency: "currency", payment_method: "method" },
            },
          },
        },
      },
    },
    nowMs,
  );
  const rows = noteKey("the mapped source's key", await createKey(tally.runtime.directory, "source", "rows", nowMs));
  const row = { ...PAYMENT_ROW, id: randomUUID(), created_at: time, email: MARK, details: `{"payer":"${MARK}"}` };
  const rejected = [
    personal({ currency: MARK }),
    personal({ amount: MARK }),
    personal({ type: MARK }),
    personal({ occurred_at: MARK }),
    personal({ user: { ...PERSONAL_USER, country: MARK } }),
    personal({ user: { ...PERSONAL_USER, date_of_birth: `${BIRTHDAY}?` } }),
    personal({ user: MARK }),
  ];
  const sent = [
    await post(JSON.stringify(personal())),
    await post(JSON.stringify([personal(), personal()]), { Prefer: "respond-async" }),
    await post(ndjson.join("\n"), { "Content-Type": "application/x-ndjson" }),
    await post(gzipSync(JSON.stringify(personal())), { "Content-Encoding": "gzip", Prefer: "respond-async" }),
    await post(JSON.stringify(cloudEvent), { "Content-Type": "application/cloudevents+json" }),
    await post(JSON.stringify([{ ...cloudEvent, id: randomUUID() }]), {
      "Content-Type": "application/cloudevents-batch+json",
    }),
    await post(JSON.stringify(data), binary),
    await post(JSON.stringify(postgresChange("c", row)), {}, rows),
    // Late: counted anew by ClickHouse, and made into Parquet.
    await post(
      JSON.stringify([personal({ occurred_at: nowMs - 5 * DAY_MS }), personal({ occurred_at: nowMs - 5 * DAY_MS })]),
    ),
  ];
  for (const { status, text } of sent)
    expect([status, text]).toEqual([expect.toBeOneOf([200, 202]), expect.any(String)]);
  await post(JSON.stringify(postgresChange("d", null, row)), {}, rows);
  for (const body of [JSON.stringify(rejected), `{"user":"${MARK}`, `${MARK}`, `[{"name":"${MARK}"}, ${MARK}]`])
    await post(body);
  await post(JSON.stringify(postgresChange("c", { ...row, amount: MARK })), {}, rows);
  return sent.reduce((sum, { text }) => {
    const { accepted = 0, late = 0, queued = 0 } = JSON.parse(text) as Record<string, number>;
    return sum + accepted + late + queued;
  }, 0);
}

describe("what is personal", () => {
  test("is in no queue, archive, database, log or answer, whatever form it comes in; its hash and what is kept by contract are", async () => {
    const events = await sendPersonalEvents();
    expect(events).toBe(12);
    await until("the late window counted", async () => {
      const waiting = await tally.runtime.directory
        .prepare("SELECT count(*) AS n FROM late_windows")
        .first<number>("n");
      return waiting === 0 && logs.some((line) => line.includes("late windows rebuilt")) ? true : undefined;
    });
    await until("Parquet", async () => {
      await tally.runtime.runCron();
      const { objects } = await tally.runtime.archive.list({ prefix: "raw/v1/" });
      return objects.some(({ key }) => key.endsWith(".parquet")) ? true : undefined;
    });
    const hash = hashUser(sipKeyFromHex(tally.secrets.userKey), RAW_USER);
    for (const path of ["report", "metrics", `events?from=${Date.now() - 6 * DAY_MS}`]) {
      await call(`${tally.runtime.apiUrl}/v1/merchants/shop/${path}`, {
        headers: { Authorization: `Bearer ${tally.operatorKey}` },
      });
    }

    const controls = await found([KEPT_MARK, hash]);
    for (const place of [/^queues\.sqlite.*Kx81/, /^r2.*Kx81/, /^answer: [0-9a-f]{16}/]) {
      expect(controls).toContainEqual(expect.stringMatching(place));
    }
    expect(await found(PERSONAL_MARKS)).toEqual([]);
  });
});

describe("a secret", () => {
  test("is in no log, archive, database or answer, after good traffic and bad", async () => {
    const { runtime, secrets: installed } = tally;
    const { demoSecret: _, ...kept } = installed;
    for (const [name, value] of Object.entries(kept)) secrets.set(name, value);
    const bindings = await runtime.miniflare.getBindings<{ ARCHIVE_S3_SECRET: string }>("tally-aggregate");
    secrets.set("the archive's S3 secret", bindings.ARCHIVE_S3_SECRET);
    noteKey("the source's key", tally.sourceKey);
    noteKey("the operator's key", tally.operatorKey);
    const own = noteKey("the merchant's key", await tally.merchantKey("shop"));
    const unknown = noteKey("an unknown key", `tally_opr_0123456789abcdef_${"Zq9".repeat(14)}x`);
    const api = runtime.apiUrl;
    const as = (key: string, more: Record<string, string> = {}) => ({
      headers: { Authorization: `Bearer ${key}`, ...more },
    });

    const signedIn = await fetch(`${api}/v1/session`, { method: "POST", body: JSON.stringify({ key: own }) });
    expect(signedIn.status).toBe(201);
    const cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    secrets.set("the session", cookie.split("=")[1] ?? "");
    secrets.set("the CSRF token", ((await signedIn.json()) as { session: { csrf_token: string } }).session.csrf_token);
    const created = await fetch(`${api}/v1/admin/keys`, {
      ...{ method: "POST", body: JSON.stringify({ kind: "merchant", subject: "shop" }), ...as(tally.operatorKey) },
    });
    noteKey("a key that was made", ((await created.json()) as { secret_key: string }).secret_key);
    expect(secrets.get("the CSRF token")).toMatch(/.{20}/);

    const bad: [string, RequestInit][] = [
      // Its own token is told to a session that asks for it, and to nobody else.
      ["/v1/session", { headers: { Cookie: `${cookie}x` } }],
      ["/v1/session", { method: "DELETE", headers: { Cookie: cookie } }],
      ["/v1/session", { method: "POST", body: JSON.stringify({ key: unknown }) }],
      ["/v1/admin/keys", as(unknown)],
      ["/v1/admin/keys", as(own)],
      [`/v1/admin/keys/${tally.operatorKey}`, as(tally.operatorKey)],
      [`/v1/admin/keys/${own}/rotate`, { method: "POST", ...as(tally.operatorKey) }],
      [`/v1/admin/keys/${own}`, { method: "DELETE", ...as(own) }],
      [`/v1/admin/sources?cursor=${own}&limit=${own}&key=${tally.operatorKey}`, as(tally.operatorKey)],
      [
        "/v1/admin/keys",
        { method: "POST", body: JSON.stringify({ kind: "merchant", subject: own }), ...as(tally.operatorKey) },
      ],
      ["/v1/admin/keys", { method: "POST", body: `{"name": "${own}`, ...as(tally.operatorKey) }],
      [`/v1/merchants/${own}/report`, as(own)],
      [`/v1/merchants/shop/metrics?tz=${own}&from=${own}`, as(own)],
      [`/v1/merchants/shop/query`, { method: "POST", body: JSON.stringify({ metrics: [own], tz: own }), ...as(own) }],
      [`/v1/merchants/shop/events?cursor=${own}`, as(own)],
      [`/v1/${own}`, as(own)],
      ["/v1/merchants/shop/report", { headers: { Authorization: own } }],
    ];
    for (const [path, init] of bad) await call(api + path, init);
    await post("{}", {}, own);
    await post(own);
    await post(JSON.stringify([{ event_id: own, type: own }]));
    await tally.runtime.runCron();

    const values = [...secrets.values()];
    expect(Math.min(...values.map(({ length }) => length))).toBeGreaterThan(15);
    const named = (await found(values)).map((place) => {
      const [name] = [...secrets].find(([, value]) => place.includes(value)) ?? [];
      return place.replace(/: .*/, `: ${name}`);
    });
    expect(named).toEqual([]);
  });
});
