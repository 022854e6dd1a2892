import type { CsvColumn } from "../csv.ts";
import { csvMoney } from "../csv.ts";
import { presentTime } from "../present.ts";
import type { ArchivedCopy } from "./archive-reader.ts";

/** An event as it was sent, without what is personal: the payer is known by a keyed hash. */
export function presentEvent(event: ArchivedCopy, zone: string) {
  const { user_id, grade, gender, country, device, age_band } = event;
  const { merchant_grade, location, business_type, attributes } = event;
  return {
    event_id: event.event_id,
    type: event.type,
    occurred_at: presentTime(event.occurred_at, zone),
    received_at: presentTime(event.received_at, zone),
    amount: event.amount,
    currency: event.currency,
    payment_method: event.payment_method,
    points_used: event.points_used,
    points_earned: event.points_earned,
    ...known({ refund_of: event.refund_of }),
    ...group("user", known({ id_hash: user_id, grade, gender, country, device, age_band })),
    ...group("merchant", known({ grade: merchant_grade, location, business_type })),
    ...group("attributes", attributes),
  };
}

function known(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

function group(name: string, fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.keys(fields).length === 0 ? {} : { [name]: fields };
}

const TEXTS = {
  payment_method: "payment_method",
  refund_of: "refund_of",
  customer_hash: "user_id",
  grade: "grade",
  gender: "gender",
  age_band: "age_band",
  country: "country",
  device: "device",
  location: "location",
  merchant_grade: "merchant_grade",
  business_type: "business_type",
} as const satisfies Record<string, keyof ArchivedCopy>;

/** The same as a table; attributes as JSON. */
export function eventColumns(zone: string): CsvColumn<ArchivedCopy>[] {
  return [
    { name: "event_id", value: (event) => event.event_id },
    { name: "type", value: (event) => event.type },
    { name: "occurred_at", value: (event) => presentTime(event.occurred_at, zone) },
    { name: "received_at", value: (event) => presentTime(event.received_at, zone) },
    { name: "currency", value: (event) => event.currency },
    { name: "amount", value: (event) => csvMoney(event.amount, event.currency) },
    { name: "points_used", value: (event) => event.points_used },
    { name: "points_earned", value: (event) => event.points_earned },
    ...Object.entries(TEXTS).map(([name, column]) => ({ name, value: (event: ArchivedCopy) => event[column] || null })),
    {
      name: "attributes",
      value: ({ attributes }) => (Object.keys(attributes).length === 0 ? null : JSON.stringify(attributes)),
    },
  ];
}
