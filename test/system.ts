import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { inject } from "vitest";
import { createKey, putMerchants, putSource } from "../scripts/directory.ts";
import type { PaymentEventInput } from "../scripts/event-input.ts";
import { type LocalSystem, type LocalSystemOptions, startLocalSystem } from "../scripts/local-system.ts";
import { sleep } from "../scripts/sleep.ts";
import type { KeyRole } from "../workers/directory/key.ts";

const POLL_MS_MIN = 50;
const POLL_MS_MAX = 500;
/** Of the time that asking takes: what costs much is asked less often, and leaves the machine to what is waited for. */
const PAUSE_RATIO = 3;
/** Of what comes within seconds on a machine that does nothing else: only what hangs is to end by it. */
export const WAIT_MS_MAX = 300_000;
/** What waits for an event to be archived, or a window to be stored, waits for a batch each time: of messages sent together, one as with the platform's five seconds. */
const BATCH_TIMEOUT_S = 0.5;

/** Of the aggregate Worker: what waits for more of its kind waits no longer than it takes a test to look. */
export const PROMPTLY = { CORRECTION_DELAY_MS: "300", LATE_DELAY_MS: "300" };

/** Of the ingest Worker: on a machine that is busy with others, too, an event is counted before it is answered, unless it is to wait. */
const PATIENTLY = { DIRECT_TIMEOUT_MS: "60000" };

/** A whole Tally for a test, with keys for a source and an operator. */
export interface TestSystem extends LocalSystem {
  readonly stateDir: string;
  readonly sourceKey: string;
  readonly operatorKey: string;
  /** ClickHouse as its administrator. */
  readonly sql: ClickHouseClient;
  /** A new one, which reads unless another role is named. */
  merchantKey(merchantId: string, role?: KeyRole): Promise<string>;
  post(body: BodyInit, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Sends events as NDJSON. */
  send(events: readonly PaymentEventInput[], headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** What whoever rewrites windows of history does, so that no answer from before is given any more. */
  noteRewritten(): Promise<void>;
  /** Sees all that was answered before, which what is cached may lack for half a second. */
  read(path: string, key?: string): Promise<Response>;
}

/** Starts a system in `stateDir`, or in a new folder that is removed again when it stops; `over` replaces parts of it. */
export async function startTestSystem(stateDir?: string, over: Partial<LocalSystemOptions> = {}): Promise<TestSystem> {
  const dir = stateDir ?? (await mkdtemp(join(tmpdir(), "tally-test-")));
  const system = await startLocalSystem({
    stateDir: dir,
    bundleDir: inject("bundleDir"),
    ports: { ingest: 0, api: 0, clickhouse: 0 },
    aggregateVars: PROMPTLY,
    ingestVars: PATIENTLY,
    batchTimeoutS: BATCH_TIMEOUT_S,
    ...over,
  });
  const { directory, ingestUrl, apiUrl } = system.runtime;
  const nowMs = Date.now();
  await putSource(directory, { id: "test-source", name: "Test", merchants: null }, nowMs);
  await putMerchants(directory, [{ id: "shop", name: "Shop", timezone: "Asia/Tokyo", currency: "JPY" }], nowMs);
  const sourceKey = await createKey(directory, "source", "test-source", nowMs);
  const operatorKey = await createKey(directory, "operator", "test-operator", nowMs);
  const { url, user: username, password } = system.clickhouse;
  const sql = createClient({ url, username, password, database: "tally" });
  const post: TestSystem["post"] = (body, headers = {}) =>
    fetch(`${ingestUrl}/v1/events`, {
      method: "POST",
      body,
      headers: { Authorization: `Bearer ${sourceKey}`, "Content-Type": "application/x-ndjson", ...headers },
    });
  return {
    ...system,
    stateDir: dir,
    sourceKey,
    operatorKey,
    sql,
    merchantKey: (merchantId, role) => createKey(directory, "merchant", merchantId, Date.now(), role),
    post,
    send: (events, headers) => post(events.map((event) => JSON.stringify(event)).join("\n"), headers),
    noteRewritten: async () => {
      // Of the workerd that runs now: a handle from before a kill is of no use.
      const current = await system.runtime.miniflare.getD1Database("DIRECTORY", "tally-api");
      const note = "INSERT INTO corrections (merchant_id, noted_at) VALUES (NULL, ?)";
      await current.prepare(note).bind(Date.now()).run();
    },
    read: (path, key = operatorKey) =>
      fetch(`${apiUrl}${path}`, { headers: { Authorization: `Bearer ${key}`, "Cache-Control": "no-cache" } }),
    stop: async () => {
      await sql.close();
      await system.stop();
      if (stateDir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Asks again for as long as it is answered 503, which says so: whatever it is read from has not answered in time, and on a machine that is busy with others that is no fault. */
export async function answered(ask: () => Promise<Response>): Promise<Response> {
  return await until("an answer other than 503", async () => {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    await answer.body?.cancel();
    return undefined;
  });
}

/** A payment that only needs what the test is about. */
export function payment(over: Partial<PaymentEventInput> = {}): PaymentEventInput {
  return {
    event_id: randomBytes(12).toString("base64url"),
    type: "payment",
    merchant_id: "shop",
    occurred_at: Date.now(),
    amount: 550,
    currency: "JPY",
    payment_method: "card",
    ...over,
  };
}

/** Asks until the answer is no longer `undefined`; throws with `what` when it takes five minutes. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = Date.now() + WAIT_MS_MAX;
  while (Date.now() < endMs) {
    const askedMs = performance.now();
    const answer = await ask();
    if (answer !== undefined) return answer;
    const pauseMs = PAUSE_RATIO * (performance.now() - askedMs);
    await sleep(Math.min(Math.max(pauseMs, POLL_MS_MIN), POLL_MS_MAX));
  }
  throw new Error(`waited five minutes for ${what}`);
}
