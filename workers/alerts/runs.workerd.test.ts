import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Env } from "../aggregate/env.ts";
import { listDeliveries, takeDueDeliveries } from "../directory/alert-deliveries.ts";
import { takeDueAlerts, writeFound } from "../directory/alert-runs.ts";
import { resealSecrets } from "../directory/alert-secrets.ts";
import { type Alert, changeAlert, createAlert, deleteAlert, readAlert } from "../directory/alerts.ts";
import { openDirectory } from "../directory/test-directory.ts";
import { WEEKDAYS } from "./opening-hours.ts";
import type { Pipeline } from "./pipeline.ts";
import { FAILING_MS_MAX, RETRY_DELAYS_MS, RETRY_JITTER } from "./retry-schedule.ts";
import { merchantRuleSchema, operatorRuleSchema, type Rule } from "./rule.ts";
import { DELIVERIES_PER_RUN_MAX, deliverNotices } from "./run-deliveries.ts";
import { ALERTS_PER_RUN_MAX, type Helper, lookAtAlerts, lookAtSome } from "./run-looks.ts";
import { randomIv, sealSecret } from "./sealed-secret.ts";
import { SECRET_BYTES, webhookSecret } from "./signature.ts";

/** Runs over a real directory and real shards; receivers are a spied `fetch`. */

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const ALWAYS = Object.fromEntries(WEEKDAYS.map((day) => [day, [{ from: "00:00", to: "24:00" }]]));
const NO_SALES = merchantRuleSchema.parse({ kind: "no_sales", minutes: 60, opening_hours: ALWAYS });
const DEAD_LETTERS = operatorRuleSchema.parse({ kind: "dead_letters" });
const KEYS = { ALERT_KEY: "a1".repeat(32), ALERT_KEY_PREVIOUS: "" };
const SECRET = webhookSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

let all: Env;
let directory: D1Database;
let pipeline: Pipeline;

beforeAll(async () => {
  directory = await openDirectory();
  all = { ...(env as unknown as Env), ...KEYS };
  // One that is only beginning may be taken for away.
  const began = (name: string) => all.SHARD.get(all.SHARD.idFromName(name)).read("none", 0, 1, false);
  await Promise.all(["shard-0", "shard-1"].map(began));
});
beforeEach(async () => {
  vi.restoreAllMocks();
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  await directory.batch([directory.prepare("DELETE FROM alerts"), directory.prepare("DELETE FROM alert_deliveries")]);
  pipeline = { freshnessMs: 0, deadLetters: 0, audit: null, logAgeMs: 0, history: null };
});

async function newAlert(rule: Rule = NO_SALES, at = Date.now()): Promise<Alert> {
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const merchantId = rule.kind === "no_sales" ? `shop-${id}` : null;
  const secret = await sealSecret(all, id, SECRET, randomIv());
  const wish = {
    id,
    merchantId,
    name: "Quiet",
    rule,
    url: "https://example.com/",
    secret,
    remindEveryMs: null,
    isEnabled: true,
  };
  const created = await createAlert(directory, wish, at);
  if (created === undefined) throw new Error("too many");
  return created;
}
const look = (over: Partial<Env> = {}, atMs = Date.now(), helper: Helper = nobody) =>
  lookAtAlerts(
    { ...all, ...over },
    async () => pipeline,
    helper,
    () => atMs,
  );
const nobody: Helper = async () => expect.fail("one run is enough");
const deliver = (atMs = Date.now()) => deliverNotices(all, () => atMs);
const told = async ({ id }: Alert) => (await listDeliveries(directory, id, 100)).map(({ type }) => type).sort();
const stateOf = async ({ id, merchantId }: Alert) => await readAlert(directory, id, merchantId);
const answering = (...statuses: number[]) =>
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(null, { status: statuses.shift() ?? 204 }));

describe("looks", () => {
  test("that come twice at once, and again, tell of a firing once", async () => {
    const alert = await newAlert();
    const runs = await Promise.all([look(), look(), look()]);
    expect(runs.reduce((sum, { fired }) => sum + fired, 0)).toBe(1);
    await look({}, Date.now() + DAY_MS);
    expect(await told(alert)).toEqual(["alert.fired"]);
    expect(await stateOf(alert)).toMatchObject({
      firingSince: expect.any(Number),
      checked: { outcome: "firing", reason: "no_sales" },
    });
  });

  test("of more than one invocation may make are shared by as many, and what one of them leaves is the next minute's", async () => {
    const alerts = 3 * ALERTS_PER_RUN_MAX + 1;
    await directory
      .prepare(
        `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
        INSERT INTO alerts (id, name, rule, url, secret, is_enabled, due_at, created_at, updated_at)
        SELECT printf('%016x', n), 'a', ?, 'https://example.com/', '', 1, 0, 0, 0 FROM n`,
      )
      .bind(alerts, JSON.stringify(DEAD_LETTERS))
      .run();
    const nowMs = Date.now();
    const helpers: number[] = [];
    const { looked } = await look({}, nowMs, async (number, pipeline) => {
      helpers.push(number);
      if (number === 0) throw new Error("the object was reset");
      return await lookAtSome(all, pipeline, () => nowMs);
    });
    expect(helpers).toEqual([0, 1, 2]);
    expect(looked).toBe(alerts - 1);
    expect(await look({}, nowMs)).toMatchObject({ looked: 1 });
    const left = await directory.prepare("SELECT count(*) AS n FROM alerts WHERE due_at <= ?").bind(nowMs).first("n");
    expect(left).toBe(0);
  });

  test("of more alerts than a page are all done, and none is left taken", async () => {
    const ids = Array.from({ length: 450 }, (_, at) => at.toString(16).padStart(16, "0"));
    const insert = directory.prepare(
      "INSERT INTO alerts (id, name, rule, url, secret, is_enabled, due_at, created_at, updated_at) VALUES (?, 'a', ?, 'https://example.com/', '', 1, 0, 0, 0)",
    );
    await directory.batch(ids.map((id) => insert.bind(id, JSON.stringify(DEAD_LETTERS))));
    pipeline = { ...pipeline, deadLetters: 1 };
    const nowMs = Date.now();
    expect(await look({}, nowMs)).toMatchObject({ looked: 450, fired: 450, failed: 0, overdue: 0 });
    const left = await directory
      .prepare("SELECT count(*) AS n FROM alerts WHERE lease IS NOT NULL OR due_at < ?")
      .bind(nowMs)
      .first("n");
    expect(left).toBe(0);
  });

  test("that die before they write leave the alert to the run after their lease, which tells of it once", async () => {
    const alert = await newAlert();
    const died = await takeDueAlerts(directory, { lease: "died", leaseMs: MINUTE_MS, limit: 10 }, Date.now());
    expect(died.map(({ id }) => id)).toEqual([alert.id]);
    expect(await look()).toMatchObject({ looked: 0 });
    expect(await look({}, Date.now() + MINUTE_MS + 1)).toMatchObject({ looked: 1, fired: 1 });
    expect(await told(alert)).toEqual(["alert.fired"]);
  });

  test("that lost their lease, to another run or to a change of the alert, write nothing", async () => {
    const alert = await newAlert();
    await takeDueAlerts(directory, { lease: "slow", leaseMs: MINUTE_MS, limit: 10 }, Date.now());
    await changeAlert(directory, alert, { name: "Renamed", dueAt: Date.now() + DAY_MS }, [], Date.now());
    const standing = { firingSince: 1, remindedAt: 1, contradictedSince: null };
    const notice = { id: "msg_late", alertId: alert.id, type: "alert.fired", body: "{}" };
    const check = { outcome: "quiet", reason: "sale", facts: null } as const;
    await writeFound(
      directory,
      "slow",
      [{ id: alert.id, standing, check, nextMs: 0, baseline: undefined, notice }],
      Date.now(),
    );
    expect(await told(alert)).toEqual([]);
    expect(await stateOf(alert)).toMatchObject({ name: "Renamed", firingSince: null, checked: null });
  });

  test("pass over an alert that cannot be read, and do the others", async () => {
    const [broken, alert] = [await newAlert(), await newAlert()];
    await directory
      .prepare("UPDATE alerts SET rule = ?, due_at = 0 WHERE id = ?")
      .bind('{"kind":"of tomorrow"}', broken.id)
      .run();
    expect(await look()).toMatchObject({ looked: 1, fired: 1 });
    expect(await told(alert)).toEqual(["alert.fired"]);
  });

  test("while a shard is away, and while the log lags or nobody knows, find nothing out and tell nobody", async () => {
    const away = {
      SHARD: {
        ...all.SHARD,
        idFromName: all.SHARD.idFromName.bind(all.SHARD),
        get: () => ({
          read: async () => {
            throw new Error("overloaded");
          },
        }),
      },
    };
    const alert = await newAlert();
    await look(away as unknown as Partial<Env>);
    expect((await stateOf(alert))?.checked).toEqual({ outcome: "unknown", reason: "shard_unavailable" });
    for (const [logAgeMs, reason] of [
      [null, "pipeline_unknown"],
      [2 * DAY_MS, "queue_lag"],
    ] as const) {
      pipeline = { ...pipeline, logAgeMs };
      await directory.exec("UPDATE alerts SET due_at = 0");
      await look();
      expect((await stateOf(alert))?.checked).toEqual({ outcome: "unknown", reason });
    }
    expect(await told(alert)).toEqual([]);
  });

  test("tell operators once of what begins, and once of its end", async () => {
    const alert = await newAlert(DEAD_LETTERS);
    for (const [minute, letters] of [0, 2, 3, 0, 0].entries()) {
      pipeline = { ...pipeline, deadLetters: letters };
      await look({}, Date.now() + minute * MINUTE_MS);
    }
    expect(await told(alert)).toEqual(["alert.fired", "alert.resolved"]);
  });
});

describe("notices", () => {
  test("that are done are found by their age, however many of them are younger", async () => {
    const { results } = await directory
      .prepare("EXPLAIN QUERY PLAN SELECT id FROM alert_deliveries WHERE due_at IS NULL AND created_at < 1")
      .all();
    expect(JSON.stringify(results)).toContain("due_at=? AND created_at<?");
  });

  test("of more receivers than one invocation may call are left to the next run, untried", async () => {
    const { id } = await newAlert();
    const most = DELIVERIES_PER_RUN_MAX / 2;
    await directory
      .prepare(
        `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
        INSERT INTO alert_deliveries (id, alert_id, type, body, due_at, created_at) SELECT 'msg_' || n, ?, 'alert.fired', '{}', 0, 0 FROM n`,
      )
      .bind(most + 1, id)
      .run();
    const called = answering();
    expect(await deliver()).toEqual({ delivered: most, failed: 0 });
    expect(called).toHaveBeenCalledTimes(most);
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
  });

  async function fired(): Promise<Alert> {
    const alert = await newAlert();
    await look();
    return alert;
  }

  test("are signed, and tried again under the same id and with the same body until they are taken", async () => {
    const alert = await fired();
    const calls = answering(500, 302, 204);
    let atMs = Date.now();
    for (const delayMs of [0, ...RETRY_DELAYS_MS.slice(0, 3)]) {
      atMs += delayMs * (1 + RETRY_JITTER);
      await deliver(atMs);
    }
    expect(calls).toHaveBeenCalledTimes(3);
    const sent = calls.mock.calls.map(([, init]) => ({
      body: String(init?.body),
      headers: init?.headers as Record<string, string>,
    }));
    for (const { body, headers } of sent) {
      // The library refuses what is older than five minutes: its clock is set to the attempt's.
      vi.setSystemTime(Number(headers["webhook-timestamp"]) * 1000);
      expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({ type: "alert.fired" });
      expect([headers["webhook-id"], body]).toEqual([sent[0]?.headers["webhook-id"], sent[0]?.body]);
    }
    vi.useRealTimers();
    const [delivery] = await listDeliveries(directory, alert.id, 1);
    expect(delivery).toMatchObject({
      attempts: 3,
      status: 204,
      failure: null,
      dueAt: null,
      deliveredAt: expect.any(Number),
    });
    expect((await stateOf(alert))?.failingSince).toBeNull();
  });

  test("that a run took and died with are sent again, under their id", async () => {
    const alert = await fired();
    const died = await takeDueDeliveries(directory, { isFailing: false, leaseMs: MINUTE_MS, limit: 10 }, Date.now());
    expect(died).toHaveLength(1);
    const calls = answering();
    await deliver();
    expect(calls).not.toHaveBeenCalled();
    await deliver(Date.now() + MINUTE_MS + 1);
    expect(calls).toHaveBeenCalledTimes(1);
    expect(await told(alert)).toEqual(["alert.fired"]);
  });

  test("of a receiver that has failed for days are given up, and its alert says why until it is taken up again", async () => {
    const alert = await fired();
    answering(...Array.from({ length: 30 }, () => 503));
    await deliver();
    expect((await stateOf(alert))?.failingSince).not.toBeNull();
    await directory
      .prepare("UPDATE alerts SET failing_since = ?")
      .bind(Date.now() - FAILING_MS_MAX)
      .run();
    await deliver(Date.now() + 2 * MINUTE_MS);
    const disabled = await stateOf(alert);
    expect(disabled).toMatchObject({
      isEnabled: false,
      dueAt: null,
      disabledReason: expect.stringContaining("it answered 503"),
    });
    expect((await listDeliveries(directory, alert.id, 1))[0]).toMatchObject({
      dueAt: null,
      failedAt: expect.any(Number),
    });
    expect(await look({}, Date.now() + DAY_MS)).toMatchObject({ looked: 0 });
  });

  test("go where they went: an alert that is gone takes its notices with it, and no private address is called", async () => {
    const [gone, inner] = [await fired(), await fired()];
    await deleteAlert(directory, gone.id, gone.merchantId);
    await directory.prepare("UPDATE alerts SET url = 'https://169.254.169.254/' WHERE id = ?").bind(inner.id).run();
    const calls = answering();
    expect(await deliver()).toEqual({ delivered: 0, failed: 1 });
    expect(calls).not.toHaveBeenCalled();
    expect((await listDeliveries(directory, inner.id, 1))[0]?.failure).toContain("not allowed");
  });

  test("are signed after the sealing key is replaced, before and after their secrets are sealed anew", async () => {
    const next = { ALERT_KEY: "b2".repeat(32), ALERT_KEY_PREVIOUS: KEYS.ALERT_KEY };
    const alerts = [await fired(), await fired()];
    const calls = answering();
    await deliverNotices({ ...all, ...next }, Date.now);
    expect(calls).toHaveBeenCalledTimes(2);
    expect(await resealSecrets({ ...all, ...next })).toBe(2);
    expect(await resealSecrets({ ...all, ...next })).toBe(0);
    await directory.exec("UPDATE alert_deliveries SET due_at = 0, delivered_at = NULL");
    await deliverNotices({ ...all, ALERT_KEY: next.ALERT_KEY, ALERT_KEY_PREVIOUS: "" }, Date.now);
    expect(calls).toHaveBeenCalledTimes(4);
    expect(alerts).toHaveLength(2);
    // Sealed for one alert, it is nobody else's.
    await directory.exec("UPDATE alerts SET secret = (SELECT max(secret) FROM alerts)");
    await directory.exec("UPDATE alert_deliveries SET due_at = 0, delivered_at = NULL");
    expect(await deliverNotices({ ...all, ...next }, Date.now)).toEqual({ delivered: 1, failed: 1 });
  });
});
