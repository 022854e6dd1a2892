import { z } from "zod";
import {
  alertSchema,
  alertsSchema,
  alertWithDeliveriesSchema,
  createdAlertSchema,
  deliverySchema,
  MERCHANT_ALERT_BODIES,
  OPERATOR_ALERT_BODIES,
} from "../api/alert-schemas.ts";
import { rotationSchema } from "../api/key-schemas.ts";
import { merchantPath } from "../api/parameters-schema.ts";
import type { Operation, OperationTable } from "./operation.ts";
import { BODY_PROBLEMS, type ProblemCode } from "./problems.ts";

const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const body = (schema: z.ZodType, isRequired = true) => ({ isRequired, content: json(schema) });
const alertPath = z.object({
  alert: z.string().meta({ description: "The alert's id", examples: ["0f3a9c2b7d1e4856"] }),
});

const CHANGE: readonly ProblemCode[] = ["csrf", "malformed_json", ...BODY_PROBLEMS, "invalid_body"];

/** The same for merchants' alerts and for operators'. */
function operationsAt(
  path: string,
  {
    bodies,
    names,
    where,
  }: {
    readonly bodies: { readonly create: z.ZodType; readonly change: z.ZodType };
    readonly names: { readonly one: string; readonly many: string; readonly of: string };
    readonly where: z.ZodObject | undefined;
  },
): OperationTable {
  const ofOne = where === undefined ? alertPath : where.extend(alertPath.shape);
  const notFound: readonly ProblemCode[] = where === undefined ? [] : ["not_found"];
  const list = where === undefined ? {} : { path: where };
  const operation = (rest: Omit<Operation, "tag">): Operation => ({
    tag: "Alerts",
    ...rest,
    problems: [...notFound, ...rest.problems],
  });
  return {
    [`GET ${path}`]: operation({
      id: `list${names.many}`,
      summary: `Alerts ${names.of}`,
      ...list,
      answers: { 200: { description: "The newest first.", content: json(alertsSchema) } },
      problems: [],
    }),
    [`POST ${path}`]: operation({
      id: `create${names.one}`,
      summary: "Create an alert",
      ...list,
      body: body(bodies.create),
      answers: {
        201: { description: "The alert, with its secret: it is shown this once.", content: json(createdAlertSchema) },
      },
      problems: [...CHANGE, "invalid_webhook_url", "too_many_alerts", "no_alerts"],
    }),
    [`GET ${path}/:alert`]: operation({
      id: `get${names.one}`,
      summary: "One alert, how it stands, and its last notices",
      path: ofOne,
      answers: { 200: { description: "As it stands.", content: json(alertWithDeliveriesSchema) } },
      problems: ["no_such_alert"],
    }),
    [`PATCH ${path}/:alert`]: operation({
      id: `change${names.one}`,
      summary: "Change an alert; what is left out stays",
      description:
        "Another rule, or disabling it, ends a firing, and a notice says so. Enabling it takes up one that Tally disabled.",
      path: ofOne,
      body: body(bodies.change),
      answers: { 200: { description: "As it stands now.", content: json(alertSchema) } },
      problems: [...CHANGE, "invalid_webhook_url", "no_such_alert", "changed_meanwhile", "no_alerts"],
    }),
    [`DELETE ${path}/:alert`]: operation({
      id: `delete${names.one}`,
      summary: "Delete an alert, with the notices that wait",
      path: ofOne,
      answers: { 204: { description: "It is gone." } },
      problems: ["csrf", "no_such_alert"],
    }),
    [`POST ${path}/:alert/rotate`]: operation({
      id: `rotate${names.one}Secret`,
      summary: "Replace the secret; notices carry both signatures for a while",
      path: ofOne,
      body: body(rotationSchema, false),
      answers: { 201: { description: "The alert, with the new secret.", content: json(createdAlertSchema) } },
      problems: [...CHANGE, "no_such_alert", "changed_meanwhile", "no_alerts"],
    }),
    [`POST ${path}/:alert/test`]: operation({
      id: `test${names.one}`,
      summary: "Send a notice that says it is a test, now and once",
      path: ofOne,
      answers: { 200: { description: "How it went.", content: json(deliverySchema) } },
      problems: ["csrf", "no_such_alert", "tested_just_now", "no_alerts"],
    }),
  };
}

export const ALERT_OPERATIONS: OperationTable = {
  ...operationsAt("/v1/merchants/:merchant/alerts", {
    bodies: MERCHANT_ALERT_BODIES,
    names: { one: "MerchantAlert", many: "MerchantAlerts", of: "of the merchant's numbers" },
    where: merchantPath,
  }),
  ...operationsAt("/v1/admin/alerts", {
    bodies: OPERATOR_ALERT_BODIES,
    names: { one: "OperatorAlert", many: "OperatorAlerts", of: "of the pipeline's state" },
    where: undefined,
  }),
};
