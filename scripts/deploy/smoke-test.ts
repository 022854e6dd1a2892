import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type KeyKind, mintKey } from "../../workers/directory/key.ts";

/** Whom the event of the test is of, nobody's shop, and what its source is called. */
export const SMOKE_MERCHANT = "tally-smoke-test";
/** After this the keys of a test that died are worth nothing. */
const KEYS_EXPIRE_MS = 10 * 60_000;
/** A new address of workers.dev takes its time to be known. */
const ANSWER_TIMEOUT_MS = 90_000;
/** Until an accepted event is in reads, through the log if need be. */
const VISIBLE_TIMEOUT_MS = 30_000;
const RETRY_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;

export interface SmokeTest {
  readonly ingestUrl: string;
  readonly apiUrl: string;
  /** Runs one statement of SQL on the directory. */
  readonly query: (sql: string, params: readonly string[]) => Promise<readonly unknown[]>;
  readonly onStep: (step: string) => void;
}

const receiptSchema = z.looseObject({ accepted: z.number(), duplicates: z.number() });
const queuedSchema = z.looseObject({ queued: z.number() });
const metricsSchema = z.looseObject({
  series: z.array(
    z.looseObject({ currency: z.string(), total: z.looseObject({ payments: z.looseObject({ count: z.number() }) }) }),
  ),
});

/**
 * Sends one event, twice, through what was deployed, and reads it back: that it is accepted, counted once, and to be read by its merchant's key alone.
 * Its keys live for as long as the test. Throws with what was answered instead.
 */
export async function smokeTest({ ingestUrl, apiUrl, query, onStep }: SmokeTest): Promise<void> {
  for (const url of [ingestUrl, apiUrl]) {
    await until(`${url}/healthz answers`, ANSWER_TIMEOUT_MS, async () => (await get(`${url}/healthz`)).status === 200);
  }
  onStep("both Workers answer");
  const merchant = SMOKE_MERCHANT;
  await query("INSERT INTO sources (id, name, merchants, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", [
    SMOKE_MERCHANT,
    "The smoke test of deployments",
    JSON.stringify([merchant]),
    String(Date.now()),
  ]);
  const source = await addKey(query, "source", SMOKE_MERCHANT);
  const reader = await addKey(query, "merchant", merchant);
  try {
    const event = eventOf(merchant);
    const before = await countOf(apiUrl, merchant, reader.token);
    const first = await postEvent(ingestUrl, source.token, event);
    if (first.status === 200 && receiptSchema.parse(first.body).accepted !== 1)
      throw unexpected("the first event", first);
    if (first.status === 202 && queuedSchema.parse(first.body).queued !== 1) throw unexpected("the first event", first);
    if (first.status !== 200 && first.status !== 202) throw unexpected("the first event", first);
    onStep(
      first.status === 200 ? "an event is accepted and counted" : "an event is accepted, to be counted from the log",
    );
    await until(
      "the event is in reads",
      VISIBLE_TIMEOUT_MS,
      async () => (await countOf(apiUrl, merchant, reader.token)) === before + 1,
    );
    onStep("it is read back");
    const again = await postEvent(ingestUrl, source.token, event);
    if (again.status === 200 && receiptSchema.parse(again.body).duplicates !== 1) throw unexpected("its repeat", again);
    const after = await countOf(apiUrl, merchant, reader.token);
    if (after !== before + 1) throw new Error(`sent twice, it is counted ${after - before} times`);
    onStep("sent again, it is not counted again");
    const foreign = await get(`${apiUrl}/v1/merchants/someone-else/metrics?from=today`, reader.token);
    if (foreign.status !== 403) throw unexpected("another merchant's numbers, with this one's key,", foreign);
    onStep("a merchant's key reads that merchant only");
  } finally {
    await query("UPDATE keys SET revoked_at = ? WHERE id IN (?, ?)", [String(Date.now()), source.id, reader.id]);
  }
}

type Query = SmokeTest["query"];

async function addKey(query: Query, kind: KeyKind, subject: string): Promise<{ id: string; token: string }> {
  const { id, token, secretHash } = await mintKey(kind, randomBytes(40));
  const nowMs = Date.now();
  await query("INSERT INTO keys (id, kind, subject, secret_hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)", [
    id,
    kind,
    subject,
    secretHash,
    String(nowMs),
    String(nowMs + KEYS_EXPIRE_MS),
  ]);
  return { id, token };
}

function eventOf(merchant_id: string) {
  return {
    event_id: `smoke-${randomBytes(12).toString("hex")}`,
    type: "payment",
    merchant_id,
    occurred_at: Date.now(),
    amount: 1,
    currency: "XTS",
    payment_method: "smoke-test",
  };
}

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

async function postEvent(ingestUrl: string, key: string, event: object): Promise<Answered> {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  return await ask(`${ingestUrl}/v1/events`, { method: "POST", headers, body: JSON.stringify(event) });
}

/** Of the test's payments, all of them today and yesterday, whatever the zone. */
async function countOf(apiUrl: string, merchant: string, key: string): Promise<number> {
  const answer = await get(
    `${apiUrl}/v1/merchants/${merchant}/metrics?from=yesterday&granularity=1d&currency=XTS&tz=UTC`,
    key,
  );
  if (answer.status !== 200) throw unexpected("the merchant's numbers", answer);
  return metricsSchema.parse(answer.body).series.reduce((sum, { total }) => sum + total.payments.count, 0);
}

async function get(url: string, key?: string): Promise<Answered> {
  return await ask(url, {
    headers: { "Cache-Control": "no-cache", ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }) },
  });
}

async function ask(url: string, init: RequestInit): Promise<Answered> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text.slice(0, 300) };
  }
}

/** Asks again while it is not so, or nobody answers. */
async function until(what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const startedMs = Date.now();
  let failure: unknown;
  while (Date.now() - startedMs < timeoutMs) {
    try {
      if (await isSo()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new Error(`after ${timeoutMs / 1_000} s it is not so that ${what}`, { cause: failure });
}

function unexpected(what: string, { status, body }: Answered): Error {
  return new Error(`${what} is answered ${status}: ${JSON.stringify(body).slice(0, 500)}`);
}
