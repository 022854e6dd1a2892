import { z } from "zod";
import { answerSchema, currencySchema, revisionSchema, statusSchema, timeSchema } from "./answer-schema.ts";
import { reportShape } from "./metrics-schema.ts";

/** What a window or a day comes to, in each currency. */
export const currencyReportsSchema = z.array(
  z.strictObject({ currency: currencySchema, revision: revisionSchema, ...reportShape }).meta({ id: "CurrencyReport" }),
);

/** The answer to `GET /v1/merchants/{id}/report`. */
export const reportAnswerSchema = answerSchema
  .extend({
    start: timeSchema,
    end: timeSchema,
    status: statusSchema,
    reports: currencyReportsSchema,
  })
  .meta({ id: "Report", description: "The report of one ten-minute window, for each currency" });
