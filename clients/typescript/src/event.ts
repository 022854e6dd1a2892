/** A payment or refund as a source sends it. */
export interface PaymentEvent {
  /** 1 to 64 of `A-Za-z0-9._:-`. With the merchant it is the event's identity: whatever is sent with the same one is counted once. */
  event_id: string;
  type: "payment" | "refund";
  merchant_id: string;
  /** Epoch milliseconds, or RFC 3339 with offset. */
  occurred_at: number | string | Date;
  /** Integer minor units of `currency`, never negative: the sign is in `type`. */
  amount: number;
  /** ISO 4217. */
  currency: string;
  payment_method: string;
  points_used?: number;
  points_earned?: number;
  /** `event_id` of the payment that is given back. */
  refund_of?: string;
  user?: PaymentUser;
  merchant?: { grade?: string; location?: string; business_type?: string };
  /** Up to 16 pairs, 1 KB in all. */
  attributes?: Record<string, string>;
}

export interface PaymentUser {
  /** Kept only as a keyed hash. */
  id?: string;
  grade?: string;
  gender?: string;
  /** ISO 3166-1 alpha-2. */
  country?: string;
  device?: string;
  age_band?: string;
  /** `YYYY-MM-DD`; becomes `age_band` and is dropped. */
  date_of_birth?: string;
}

/** An event that may leave its id to the sender, who makes one before the first try. */
export type NewPaymentEvent = Omit<PaymentEvent, "event_id"> & Partial<Pick<PaymentEvent, "event_id">>;
