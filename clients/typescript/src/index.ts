export type { NewPaymentEvent, PaymentEvent, PaymentUser } from "./event.ts";
export {
  type PostBody,
  type PostDeps,
  type PostOutcome,
  type PostTarget,
  postBatch,
} from "./post-events.ts";
export { TallyProblem } from "./problem.ts";
export type { QueryAnswer, QueryBody, ValueFilter } from "./query.ts";
export {
  type EventsParameters,
  type Instant,
  type MetricsParameters,
  type Parameter,
  type ReaderOptions,
  type ReportParameters,
  type SpanParameters,
  TallyReader,
} from "./reader.ts";
export type { Receipt, ReceiptError } from "./receipt.ts";
export type {
  Breakdown,
  Change,
  Comparison,
  CountAndAmount,
  EventsAnswer,
  Figures,
  Groups,
  ListedEvent,
  MetricsAnswer,
  Notice,
  Report,
  ReportAnswer,
  WindowStatus,
} from "./report.ts";
export { type SenderOptions, type SenderTotals, type SendFailure, TallySender } from "./sender.ts";
