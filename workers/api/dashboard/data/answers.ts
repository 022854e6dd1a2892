import type { z } from "zod";
import type { healthSchema } from "../../../health/health-schema.ts";
import type {
  alertSchema,
  alertsSchema,
  alertWithDeliveriesSchema,
  createdAlertSchema,
  deliverySchema,
} from "../../alert-schemas.ts";
import type { cellSchema, changeSchema } from "../../answer-schema.ts";
import type { Comparison } from "../../base-spans.ts";
import type { Granularity } from "../../calendar-unit.ts";
import type { eventsAnswerSchema } from "../../events/events-schema.ts";
import type { createdKeySchema, keySchema, keysSchema, rotatedKeySchema } from "../../key-schemas.ts";
import type { merchantSchema, merchantsSchema } from "../../merchant-schema.ts";
import type { metricsAnswerSchema } from "../../metrics-schema.ts";
import type {
  auditSchema,
  begunReplaySchema,
  deadLettersSchema,
  epochsSchema,
  listedReplaySchema,
  redrivenSchema,
  replaySchema,
  replaysSchema,
} from "../../operate-schema.ts";
import type { queryAnswerSchema } from "../../query-schema.ts";
import type { reportAnswerSchema } from "../../report-schema.ts";
import type { sessionSchema } from "../../session-schema.ts";

/** What the API answers, by the types of its own schemas: were one to change, the page would no longer compile. */
export type MetricsAnswer = z.output<typeof metricsAnswerSchema>;
export type Series = MetricsAnswer["series"][number];
export type Bucket = Series["buckets"][number];
export type Total = Series["total"];
export type Figures = NonNullable<NonNullable<Total["comparison"]>["base"]>;
export type Breakdowns = NonNullable<Total["breakdowns"]>;
export type Dimension = keyof Breakdowns;
export type Breakdown = Breakdowns[Dimension];
export type Cell = z.output<typeof cellSchema>;
export type Change = z.output<typeof changeSchema>;
/** The report of a window, or of a day as the stream tells it. */
export type WindowReport = z.output<typeof reportAnswerSchema>["reports"][number];
export type QueryAnswer = z.output<typeof queryAnswerSchema>;
export type MerchantAnswer = z.output<typeof merchantSchema>;
export type MerchantsAnswer = z.output<typeof merchantsSchema>;
export type EventsAnswer = z.output<typeof eventsAnswerSchema>;
export type PaymentEvent = EventsAnswer["events"][number];
export type Key = z.output<typeof keySchema>;
export type KeysAnswer = z.output<typeof keysSchema>;
export type CreatedKey = z.output<typeof createdKeySchema>;
export type RotatedKey = z.output<typeof rotatedKeySchema>;
export type HealthAnswer = z.output<typeof healthSchema>;
export type AlertAnswer = z.output<typeof alertSchema>;
export type AlertsAnswer = z.output<typeof alertsSchema>;
export type AlertWithDeliveries = z.output<typeof alertWithDeliveriesSchema>;
export type AlertDelivery = z.output<typeof deliverySchema>;
export type CreatedAlert = z.output<typeof createdAlertSchema>;
export type AuditAnswer = z.output<typeof auditSchema>;
export type DeadLettersAnswer = z.output<typeof deadLettersSchema>;
export type RedrivenAnswer = z.output<typeof redrivenSchema>;
export type EpochsAnswer = z.output<typeof epochsSchema>;
export type ListedReplay = z.output<typeof listedReplaySchema>;
export type ReplaysAnswer = z.output<typeof replaysSchema>;
export type BegunReplay = z.output<typeof begunReplaySchema>;
export type ReplayAnswer = z.output<typeof replaySchema>;
export type SessionAnswer = z.output<typeof sessionSchema>;
export type { Comparison, Granularity };

/** The figures shown large, of which one is the line. */
export const MEASURES = ["net", "payments", "average", "customers", "refunds", "points"] as const;
export type Measure = (typeof MEASURES)[number];

/** Where each stands in an answer, and what kind of number it is. `adds`: of two spans it is the sum; `goodUp`: whether more is better, if it can be said. */
interface MeasureKind {
  readonly kind: "money" | "count";
  readonly adds: boolean;
  readonly goodUp: boolean | undefined;
  /** The name of the API's CSV and of its queries. */
  readonly figure: string;
  readonly of: <T>(figures: FiguresOf<T>) => T;
}

interface FiguresOf<T> {
  readonly payments: { readonly count: T; readonly amount: T };
  readonly refunds: { readonly count: T; readonly amount: T };
  readonly net: T;
  readonly average: T;
  readonly points: { readonly used: T; readonly earned: T };
  readonly customers: T;
}

export const MEASURE: Readonly<Record<Measure, MeasureKind>> = {
  net: { kind: "money", adds: true, goodUp: true, figure: "net", of: ({ net }) => net },
  payments: { kind: "count", adds: true, goodUp: true, figure: "payments.count", of: ({ payments }) => payments.count },
  average: { kind: "money", adds: false, goodUp: true, figure: "average", of: ({ average }) => average },
  customers: { kind: "count", adds: false, goodUp: true, figure: "customers", of: ({ customers }) => customers },
  refunds: { kind: "money", adds: true, goodUp: false, figure: "refunds.amount", of: ({ refunds }) => refunds.amount },
  points: { kind: "count", adds: true, goodUp: undefined, figure: "points.earned", of: ({ points }) => points.earned },
};
