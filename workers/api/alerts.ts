import type { Context } from "hono";
import { Hono } from "hono";
import type { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import { testNotice } from "../alerts/notice.ts";
import { ALERTS_MAX } from "../alerts/rule.ts";
import { randomIv, sealSecret } from "../alerts/sealed-secret.ts";
import { isLoopbackAllowed, sendWebhook } from "../alerts/send-webhook.ts";
import { SECRET_BYTES, webhookSecret } from "../alerts/signature.ts";
import { parseWebhookUrl } from "../alerts/webhook-url.ts";
import { toHex } from "../bytes.ts";
import { beginTest, endTest, listDeliveries } from "../directory/alert-deliveries.ts";
import { type Alert, changeAlert, createAlert, deleteAlert, listAlerts, readAlert } from "../directory/alerts.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { mayCallReceiver } from "../http/rate-limit.ts";
import { decideChange } from "./alert-change.ts";
import {
  type alertSchema,
  type alertsSchema,
  type alertWithDeliveriesSchema,
  type createdAlertSchema,
  DELIVERIES_SHOWN_MAX,
  type deliverySchema,
  MERCHANT_ALERT_BODIES,
  OPERATOR_ALERT_BODIES,
} from "./alert-schemas.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import { rotationSchema } from "./key-schemas.ts";
import { presentAlert, presentDelivery } from "./present-alert.ts";

/** Of one alert, one in so long. */
export const TEST_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
const ID_BYTES = 8;

type AlertsContext = Context<Guarded<Env>>;

/** Below `/v1/merchants/:merchant/alerts`: a merchant's own. */
export const merchantAlerts = routesOf((c) => c.var.merchant, MERCHANT_ALERT_BODIES);
/** Below `/v1/admin/alerts`: of the pipeline's state. */
export const adminAlerts = routesOf(() => null, OPERATOR_ALERT_BODIES);

function routesOf(
  ownerOf: (c: AlertsContext) => string | null,
  { create, change }: typeof MERCHANT_ALERT_BODIES | typeof OPERATOR_ALERT_BODIES,
) {
  const found = (c: AlertsContext, id: string) => readAlert(c.env.DIRECTORY, id, ownerOf(c));
  return new Hono<Guarded<Env>>()
    .get("/", async (c) => {
      const alerts = await listAlerts(c.env.DIRECTORY, ownerOf(c));
      const nowMs = Date.now();
      const answer = { alerts: alerts.map((alert) => presentAlert(alert, mayManage(c), nowMs)), limit: ALERTS_MAX };
      return fresh(answer satisfies z.output<typeof alertsSchema>);
    })
    .post("/", async (c) => {
      const wish = await readJson<z.output<typeof create>>(c, create);
      if (!wish.ok) return problemResponse(wish.error);
      const { name, rule, webhook, remind_every_minutes: remind, enabled: isEnabled } = wish.value;
      const ready = checkReady(c, webhook.url);
      if (!ready.ok) return problemResponse(ready.error);
      const id = toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
      const { text, sealed } = await newSecret(c.env, id);
      const remindEveryMs = remind === null ? null : remind * MINUTE_MS;
      const alert = {
        id,
        merchantId: ownerOf(c),
        name,
        rule,
        url: ready.value,
        secret: sealed,
        remindEveryMs,
        isEnabled,
      };
      const nowMs = Date.now();
      const created = await createAlert(c.env.DIRECTORY, alert, nowMs);
      return created === undefined ? problemResponse(tooMany) : fresh(withSecret(created, text, nowMs), 201);
    })
    .get("/:alert", async (c) => {
      const alert = await found(c, c.req.param("alert"));
      if (alert === undefined) return problemResponse(noSuchAlert);
      const deliveries = await listDeliveries(c.env.DIRECTORY, alert.id, DELIVERIES_SHOWN_MAX);
      const answer = { ...presentAlert(alert, mayManage(c), Date.now()), deliveries: deliveries.map(presentDelivery) };
      return fresh(answer satisfies z.output<typeof alertWithDeliveriesSchema>);
    })
    .patch("/:alert", async (c) => {
      const wish = await readJson<z.output<typeof change>>(c, change);
      if (!wish.ok) return problemResponse(wish.error);
      const { name, rule, webhook, remind_every_minutes: remind, enabled: isEnabled } = wish.value;
      const ready = webhook === undefined ? ok(undefined) : checkReady(c, webhook.url);
      if (!ready.ok) return problemResponse(ready.error);
      const before = await found(c, c.req.param("alert"));
      if (before === undefined) return problemResponse(noSuchAlert);
      const remindEveryMs = typeof remind === "number" ? remind * MINUTE_MS : remind;
      const nowMs = Date.now();
      const decided = decideChange(before, { name, rule, url: ready.value, remindEveryMs, isEnabled }, nowMs);
      const after = await changeAlert(c.env.DIRECTORY, before, decided.change, decided.notices, nowMs);
      return after === undefined ? problemResponse(changedMeanwhile) : fresh(shown(after, nowMs));
    })
    .delete("/:alert", async (c) => {
      const isDeleted = await deleteAlert(c.env.DIRECTORY, c.req.param("alert"), ownerOf(c));
      return isDeleted ? c.body(null, 204) : problemResponse(noSuchAlert);
    })
    .post("/:alert/rotate", async (c) => {
      const wish = await readJson(c, rotationSchema);
      if (!wish.ok) return problemResponse(wish.error);
      if (!hasKey(c.env)) return problemResponse(noAlerts);
      const before = await found(c, c.req.param("alert"));
      if (before === undefined) return problemResponse(noSuchAlert);
      const { text, sealed } = await newSecret(c.env, before.id);
      const nowMs = Date.now();
      const previousUntil = nowMs + wish.value.overlap_s * 1000;
      const change = { secret: sealed, previousSecret: before.secret, previousUntil };
      const after = await changeAlert(c.env.DIRECTORY, before, change, [], nowMs);
      return after === undefined ? problemResponse(changedMeanwhile) : fresh(withSecret(after, text, nowMs), 201);
    })
    .post("/:alert/test", async (c) => {
      if (!hasKey(c.env)) return problemResponse(noAlerts);
      const alert = await found(c, c.req.param("alert"));
      return alert === undefined ? problemResponse(noSuchAlert) : await test(c.env, alert);
    });
}

/**
 * Sends a notice that says it is a test, once and now, whether the alert is enabled or not. Beside the alert's pace a host has one, whoever asks: alerts can be
 * deleted and made anew.
 */
async function test(env: Env, alert: Alert): Promise<Response> {
  const nowMs = Date.now();
  if (!(await mayCallReceiver(env, new URL(alert.url).host))) return problemResponse(testedTooOften);
  const random = toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
  const notice = testNotice({ alert, kind: alert.rule.kind, firedMs: null, reason: null, facts: null }, random, nowMs);
  const begun = await beginTest(env.DIRECTORY, notice, nowMs - TEST_EVERY_MS, nowMs);
  if (begun === undefined) return problemResponse(testedJustNow);
  const attempt = await sendWebhook(env, { ...alert, alertId: alert.id }, notice, nowMs);
  const ended = await endTest(env.DIRECTORY, notice.id, attempt, Date.now());
  return fresh(presentDelivery(ended) satisfies z.output<typeof deliverySchema>);
}

async function newSecret(env: Env, alertId: string): Promise<{ readonly text: string; readonly sealed: string }> {
  const text = webhookSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  return { text, sealed: await sealSecret(env, alertId, text, randomIv()) };
}

function mayManage(c: AlertsContext): boolean {
  const { principal } = c.var.caller;
  return principal.kind === "operator" || (principal.kind === "merchant" && principal.role === "manage");
}

function shown(alert: Alert, nowMs: number): z.output<typeof alertSchema> {
  return presentAlert(alert, true, nowMs);
}

function withSecret(alert: Alert, secret: string, nowMs: number): z.output<typeof createdAlertSchema> {
  return { ...presentAlert(alert, true, nowMs), secret };
}

const hasKey = ({ ALERT_KEY }: Env) => ALERT_KEY !== undefined && ALERT_KEY !== "";

/** The address as it is called, if it may be, and if there is a key to seal its secret with. */
function checkReady(c: AlertsContext, url: string): Result<string, Problem> {
  if (!hasKey(c.env)) return err(noAlerts);
  const parsed = parseWebhookUrl(url, isLoopbackAllowed(c.env));
  return parsed.ok ? parsed : err(invalidUrl(parsed.error));
}

const invalidUrl = (wanted: string): Problem => ({
  status: 422,
  code: "invalid_webhook_url",
  title: "Notices cannot be sent there",
  detail: `It must be ${wanted}.`,
  extensions: { parameter: "webhook.url" },
});

const noSuchAlert: Problem = {
  status: 404,
  code: "no_such_alert",
  title: "There is no such alert",
  detail: "Look for its id in the list.",
};

const tooMany: Problem = {
  status: 409,
  code: "too_many_alerts",
  title: "There is no new alert",
  detail: `There are ${ALERTS_MAX}: delete one first.`,
};

const changedMeanwhile: Problem = {
  status: 409,
  code: "changed_meanwhile",
  title: "The alert has changed meanwhile",
  detail: "Look at it again, and repeat the change if it still makes sense.",
};

const testedJustNow: Problem = {
  status: 429,
  code: "tested_just_now",
  title: "There was a test just now",
  detail: `One every ${TEST_EVERY_MS / 1000} seconds.`,
  retryAfterS: TEST_EVERY_MS / 1000,
};

const testedTooOften: Problem = {
  ...testedJustNow,
  detail: "Tests call that host as often as they may.",
  retryAfterS: 60,
};

const noAlerts: Problem = {
  status: 503,
  code: "no_alerts",
  title: "This deployment has no alerts",
  detail: "Its operator has set no ALERT_KEY.",
  retryAfterS: 3600,
};
