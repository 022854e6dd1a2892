import { useEffect, useState } from "preact/hooks";
import { GRACE_MS } from "../../../../shared/window.ts";
import { type Bucket, type EventsAnswer, MEASURE, type Measure, type PaymentEvent } from "../data/answers.ts";
import type { Question } from "../data/kept-answers.ts";
import { useAnswer } from "../data/use-answer.ts";

/** What came after a bucket had closed is what it was revised by. */
export function lateEventsQuestion(merchantId: string, currency: string, { start, end }: Bucket): Question {
  const query = new URLSearchParams({ from: start, to: end, currency, limit: String(EVENTS_MAX) });
  return { path: `/v1/merchants/${merchantId}/events?${query}` };
}

/** Of a page; a bucket of more is told without an amount. */
const EVENTS_MAX = 1_000;

/** `undefined` where the archive cannot tell: an average and customers do not add up, and of a part of the events nothing follows. */
export function revisedByLate(
  measure: Measure,
  { end }: Pick<Bucket, "end">,
  { events, next_cursor }: Pick<EventsAnswer, "events" | "next_cursor">,
): number | undefined {
  if (!MEASURE[measure].adds || next_cursor !== null) return undefined;
  const closedMs = Date.parse(end) + GRACE_MS;
  const late = events.filter(({ received_at }) => Date.parse(received_at) > closedMs);
  return late.reduce((sum, event) => sum + (OF_EVENT[measure]?.(event) ?? 0), 0);
}

const ofType = (type: PaymentEvent["type"], value: (event: PaymentEvent) => number) => (event: PaymentEvent) =>
  event.type === type ? value(event) : 0;

const OF_EVENT: Readonly<Partial<Record<Measure, (event: PaymentEvent) => number>>> = {
  net: ({ type, amount }) => (type === "refund" ? -amount : amount),
  payments: ofType("payment", () => 1),
  refunds: ofType("refund", ({ amount }) => amount),
  points: ofType("payment", ({ points_earned }) => points_earned),
};

const RESTED_MS = 250;

/** By how much a bucket was revised before this page was opened, by the archive; it is asked once somebody stays with the bucket. */
export function useRevisedByLate(
  merchantId: string,
  currency: string,
  measure: Measure,
  bucket: Bucket | undefined,
): number | undefined {
  const [rested, setRested] = useState<Bucket>();
  useEffect(() => {
    const timer = setTimeout(() => setRested(bucket), RESTED_MS);
    return () => clearTimeout(timer);
  }, [bucket]);
  const isAsked = bucket !== undefined && rested === bucket && MEASURE[measure].adds;
  const { answer } = useAnswer<EventsAnswer>(isAsked ? lateEventsQuestion(merchantId, currency, bucket) : undefined);
  return answer && bucket && revisedByLate(measure, bucket, answer);
}
