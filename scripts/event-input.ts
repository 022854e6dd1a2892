/**
 * A payment event as a sender writes it (design §2): the wire side, before ingest has parsed it.
 * What the server makes of it is `shared/event.ts`; scripts and generated test data only ever speak this shape.
 */
export type PaymentEventInput = {
  event_id: string;
  type: "payment" | "refund";
  merchant_id: string;
  /** Epoch milliseconds. Senders may also write RFC 3339; ours do not, so that SQL can read our files as they are. */
  occurred_at: number;
  /** Integer minor units of `currency`, never negative: the sign is in `type`. */
  amount: number;
  currency: string;
  payment_method: string;
  points_used?: number;
  points_earned?: number;
  /** `event_id` of the payment that is given back. */
  refund_of?: string;
  user?: UserInput;
  merchant?: { grade?: string; location?: string; business_type?: string };
  attributes?: Record<string, string>;
};

export type UserInput = {
  id?: string;
  grade?: string;
  gender?: string;
  /** ISO 3166-1 alpha-2. */
  country?: string;
  device?: string;
  age_band?: string;
  /** `YYYY-MM-DD`; ingest turns it into `age_band` and drops it. */
  date_of_birth?: string;
};
